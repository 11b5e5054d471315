"""probe"""
def test_probe(bench):
    import time
    for i in range(8):
        t=time.time(); o=bench.one(provider="apimodels", seed=i); print(o.task.state, o.error, time.time()-t)
    t=time.time(); o=bench.one("edit", pictures=[1], provider="eachlabs", seed=i); print(o.task.state, o.error, time.time()-t)
    t=time.time(); bench.close(); print(time.time()-t)
