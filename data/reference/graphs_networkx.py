"""Graph measures of one directed graph by networkx, for src/analysis/connectivity.rs.

The graph: 40 nodes; pairs (a, b), a before b in the outer loop, a and b different, are edges where the next number of
MINSTD (s <- 16807 s mod 2147483647, seed 1, u = s/2147483647) is below 0.12, and below 0.4 where a and b lie in the
same ten.

    pip install networkx==3.6.1 && python graphs_networkx.py > graphs_networkx.csv
"""

import networkx as nx

s = 1
g = nx.DiGraph()
g.add_nodes_from(range(40))
for a in range(40):
    for b in range(40):
        if a != b:
            s = 16807 * s % 2147483647
            if s / 2147483647 < (0.4 if a // 10 == b // 10 else 0.12):
                g.add_edge(a, b)
print("measure,value")
print(f"edges,{g.number_of_edges()}")
print(f"density,{nx.density(g)!r}")
print(f"reciprocity,{nx.overall_reciprocity(g)!r}")
print(f"clustering,{sum(nx.clustering(g).values()) / 40!r}")
print(f"path_length,{nx.average_shortest_path_length(g)!r}")
print(f"diameter,{nx.diameter(g)}")
tens = [set(range(k, k + 10)) for k in range(0, 40, 10)]
print(f"modularity_of_tens,{nx.community.modularity(g, tens)!r}")
for name, count in nx.triadic_census(g).items():
    print(f"{name},{count}")
