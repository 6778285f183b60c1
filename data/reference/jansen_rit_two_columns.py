"""Two Jansen-Rit columns that excite each other with a delay: fourth-order Runge-Kutta, the delayed rate held over each step of 0.5 ms.

Independent of spikedeck; prints period, phase of the second in the first, and extremes over the last 5 of 10 s.
"""
import numpy as np
def S(v): return 5/(1+np.exp(.56*(6-v)))
def run(p,K,d,T=12.0,h=5e-4,y0=None,rk=True):
    A,a,B,b,C=3.25,100.,22.,50.,135.
    n=int(T/h); nd=int(round(d/h)); hist=np.zeros((n+1,2)); y=np.zeros((6,2)); 
    y[0]=[0.0,0.05]; out=np.empty((n,2))
    for k in range(n):
        vp=y[1]-y[2]; hist[k]=S(vp)
        src=hist[max(k-nd,0)][::-1]
        def f(y):
            vp=y[1]-y[2]
            return np.array([y[3],y[4],y[5],A*a*S(vp)-2*a*y[3]-a*a*y[0],A*a*(p+K*src+.8*C*S(C*y[0]))-2*a*y[4]-a*a*y[1],B*b*.25*C*S(.25*C*y[0])-2*b*y[5]-b*b*y[2]])
        k1=f(y);k2=f(y+h/2*k1);k3=f(y+h/2*k2);k4=f(y+h*k3)
        y=y+h/6*(k1+2*k2+2*k3+k4); out[k]=y[1]-y[2]
    return out
h=5e-4
for p,K,d in ((150,30,.01),(150,30,.03),(150,30,.05),):
    o=run(p,K,d,T=10); o=o[int(5/h):]
    m=.5*(o.max(0)+o.min(0)); 
    up=[np.where((o[:-1,j]<m[j])&(o[1:,j]>=m[j]))[0]*h for j in (0,1)]
    P=np.diff(up[0]).mean(); ph=np.mean([((x-up[0][up[0]<=x][-1])/P) for x in up[1] if (up[0]<=x).any() and x<up[0][-1]])
    print(p,K,d,'period ms',P*1e3,'phase',ph,'range',o.min(0),o.max(0),flush=True)
