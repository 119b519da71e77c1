from tallystick.ledger.authority import Signed
from tallystick.ledger.refusal import require
from tallystick.ledger.system import Activation
from tallystick.testing.world import World, public_key

from tests.ledger.toy import APP
from tests.ledger.toy.messages import *
from tests.ledger.toy.messages import Open, Count, Double, Activate, Crash
from tests.ledger.toy.records import Counter, Status
from tests.ledger.toy.refusals import Refusal
from tallystick.ledger.refusals import Refusal as L

class Toy:
    def __init__(self, *names): self.keys={public_key(n): n.split(".")[0] for n in names}
    def authorize(self, ctx, calls, keys):
        held={self.keys.get(k) for k in keys}
        for c in calls: require(c.party in held, Refusal.UNKNOWN_KEY, party=c.party)
        return tuple(Signed(None,("maker",)) for c in calls)
    def reader_of(self, reader, key): return self.keys.get(key)
    def sees_all(self, reader, party): return party=="sup"

def test_smoke():
    w=World([APP],Toy("A.m","B.m"),versions={"toy":1})
    c=w.accepts("A.m",Open(currency="CNY",closes_at_ms=w.ledger_ms+3600_000)).id
    w.accepts("A.m",Count(counter_id=c,by_minor=5))
    assert w.view().get(Counter,c).amount_minor==1
    w.refuses("A.m",Double(counter_id=c),L.NOT_ACTIVE)
    w.accepts("A.m",Activate(version=2,from_height=6))
    w.restarts()
    w.accepts("A.m",Count(counter_id=c,by_minor=5))
    w.accepts("A.m",Count(counter_id=c,by_minor=5))
    assert w.view().get(Counter,c).amount_minor==7
    w.refuses("B.m",Count(counter_id=c,by_minor=5),Refusal.NOT_OWNER)
    w.refuses("C.m",Count(counter_id=c,by_minor=5),Refusal.UNKNOWN_KEY)
    w.passes(days=2)
    assert w.view().get(Counter,c).status is Status.CLOSED
    w.restarts()
    w.refuses("A.m",Count(counter_id=c,by_minor=5),Refusal.CLOSED)
    r=list(w.view().history(Counter,c)); print(r)
    w2=World([APP],Toy("A.m","B.m"),strict=False)
    for how in ("error","ensure","recursion"): w2.refuses("A.m",Crash(how=how),L.FAULT)
    for how in ("reads","writes"): w2.refuses("A.m",Crash(how=how),L.TOO_MUCH_WORK)
