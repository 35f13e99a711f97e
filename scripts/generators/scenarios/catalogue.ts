/** `waits`: why there is nothing to test yet. */
export type Scenario = { id: string; text: string; waits?: string }

/** The scenarios that this version answers for. Their ids are stable: they stand in the titles of tests. */
export const SCENARIOS: readonly Scenario[] = [
  { id: 'S1', text: 'The first version goes straight to 100% when it is ready, without stages.' },
  { id: 'S2', text: 'A first version that never becomes ready fails, and a later good one heals it.' },
  { id: 'S3', text: 'A service that already serves is adopted without a lost request.' },
  {
    id: 'S4',
    text: 'A broken reference to what should run changes nothing, says why, and heals when it is mended.',
  },
  {
    id: 'S5',
    text: 'An adopted workload that was scaled to zero stays at zero.',
    waits: 'there is no autoscaler for processes',
  },
  { id: 'S6', text: 'An invalid plan is refused before anything is done, and a corrected one goes on.' },
  { id: 'S7', text: 'A second service that claims the same address is refused with the name of the first.' },
  { id: 'S8', text: 'An adopted service is given back as it was, without a lost request.' },
  { id: 'S9', text: 'Giving back a service that is gone already ends and does not hang.' },
  {
    id: 'S10',
    text: 'Steps with pauses: each weight is confirmed, in order, and each pause holds its time.',
  },
  { id: 'S11', text: 'A restart of the controller in the middle of a pause neither restarts nor skips it.' },
  { id: 'S12', text: 'A pause without end stays paused and is never failed by a deadline.' },
  { id: 'S13', text: 'Weights that do not divide the whole evenly still end in a promotion.' },
  { id: 'S14', text: 'A list of weights of one’s own is used in order, and none exceeds the whole.' },
  {
    id: 'S25',
    text: 'The router does not confirm the last weight: the old instances stay and the reason is shown.',
  },
  {
    id: 'S79',
    text: 'An abort returns traffic to stable; the candidate stays for the hold time and then goes.',
  },
  { id: 'S80', text: 'With hold `keep` an aborted candidate stays, without traffic.' },
  {
    id: 'S81',
    text: 'Stable has to become ready again during an abort: no deadlock, weight follows readiness.',
  },
  { id: 'S82', text: 'An abort when nothing is in progress changes nothing.' },
  { id: 'S83', text: 'An abort completes when all instances of the candidate have died.' },
  { id: 'S84', text: 'One unready instance of stable does not block the way back for ever.' },
  {
    id: 'S95',
    text: 'A newer release during the steps: the candidate’s traffic returns first, then the newer one starts from zero.',
  },
  { id: 'S96', text: 'A newer candidate without a ready instance never has a weight above zero.' },
  { id: 'S106', text: 'A candidate that never becomes ready is given up at its deadline, each time anew.' },
  { id: 'S107', text: 'Ready counts that go up and down are no progress: the deadline still ends it.' },
  { id: 'S108', text: 'Waiting for the old set to leave lets no deadline fire.' },
  { id: 'S109', text: 'An instance that dies after the end does not change the outcome.' },
  { id: 'S110', text: 'Stable itself is broken: a good candidate can be promoted.' },
  {
    id: 'S111',
    text: 'The candidate dies under load: its weight falls at once, before the next look at the metrics.',
  },
  {
    id: 'S112',
    text: 'The controller is killed after any call outside: same final state and outcome, no extra step.',
  },
  { id: 'S141', text: 'Any outcome says who or what caused it: check, value, limit, step.' },
  { id: 'S142', text: 'Exit codes: 0 only for promoted, different ones for failed, waiting and timed out.' },
  { id: 'INV1', text: 'Weights are whole, within range, and add up to the total.' },
  { id: 'INV2', text: 'No weight points to a set without a ready instance while another set has one.' },
  {
    id: 'INV3',
    text: 'Traffic moves only to ready capacity; a set shrinks only after the router confirmed that its share left.',
  },
  { id: 'INV4', text: 'Stable and its artifact are never removed before the candidate is promoted.' },
  { id: 'INV5', text: 'Ready capacity never falls below the floor by our own doing.' },
  {
    id: 'INV6',
    text: 'What the user owns in a router is the same after a run.',
    waits: 'the built-in proxy holds nothing of the user; it matters with other routers',
  },
  { id: 'INV7', text: 'What is reported was read back, or is marked as unconfirmed.' },
  { id: 'INV8', text: 'Each rollout has exactly one outcome; each change has a cause, an actor and a time.' },
  { id: 'INV9', text: 'The same inputs and clock give the same acts; a look at nothing new writes nothing.' },
  { id: 'INV10', text: 'At most one controller acts on a service at a time.' },
]
