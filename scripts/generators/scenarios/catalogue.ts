import { SIDE_SCENARIOS } from './side.ts'

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
    id: 'S15',
    text: 'Very small shares and very many instances are counted without overflow and never rounded to nothing.',
  },
  {
    id: 'S16',
    text: 'Without a router, the nearest whole split of instances is used.',
    waits: 'every service has a router, which splits exactly',
  },
  {
    id: 'S17',
    text: 'With surge and unavailability bounds, old capacity is rebuilt before traffic returns to it.',
  },
  {
    id: 'S18',
    text: 'A step of its own changes the size of the candidate and not its traffic.',
    waits: 'a candidate always runs at its full size',
  },
  {
    id: 'S19',
    text: 'A plan that would give much traffic to little capacity is warned about.',
    waits: 'a candidate always runs at its full size',
  },
  {
    id: 'S20',
    text: 'Too few ready instances for the next weight: it waits, unless a configured share is enough.',
  },
  { id: 'S21', text: 'A stable set that shrinks with its traffic is never smaller than its share needs.' },
  { id: 'S22', text: 'A file that is edited mid-run does not change the plan that is on its way.' },
  {
    id: 'S23',
    text: 'A person jumps ahead or back: skipped steps are on record, and the rest is passed as always.',
  },
  {
    id: 'S24',
    text: 'A release with fewer instances than stable arrives, and the larger set goes afterwards.',
  },
  {
    id: 'S25',
    text: 'The router does not confirm the last weight: the old instances stay and the reason is shown.',
  },
  {
    id: 'S27',
    text: 'A candidate starts: all traffic stays on stable, and the preview shows the candidate once it is ready.',
  },
  {
    id: 'S28',
    text: 'The switch waits for a person: nothing moves before, and then all of it in one confirmed act.',
  },
  { id: 'S29', text: 'The switch follows a time after readiness: not before, and not never.' },
  { id: 'S30', text: 'A small preview grows to its full size before it gets traffic.' },
  {
    id: 'S31',
    text: 'Checks before the switch fail: traffic never moved, and the candidate stays for inspection.',
  },
  {
    id: 'S32',
    text: 'The candidate fails after the switch: traffic returns to the old set, which is at full size.',
  },
  { id: 'S33', text: 'A candidate that loses instances during its checks has not passed them.' },
  { id: 'S34', text: 'Several bad candidates in a row: all traffic stays on the good stable.' },
  { id: 'S35', text: 'Old sets are kept for their time, one at most, and go in order of age.' },
  { id: 'S36', text: 'The strategy of a live service is changed, and it goes on without a break.' },
  { id: 'S37', text: 'A switch under load loses nothing.' },
  { id: 'S38', text: 'A candidate that never becomes ready costs stable no instance in a rolling release.' },
  {
    id: 'S39',
    text: 'A bad release after a bad one: the bounds hold against the stable set, and nothing is left of the one in the middle.',
  },
  {
    id: 'S40',
    text: 'A share of the requests that may be copied goes to a shadow, no user sees an answer of it, and the copies end with their step.',
  },
  { id: 'S41', text: 'A shadow gets no requests that write, unless they are declared to bear it.' },
  ...SIDE_SCENARIOS,
  { id: 'S49', text: 'Failures are counted up to a documented limit and not one fewer.' },
  {
    id: 'S50',
    text: 'A result in between pauses, a person goes on, and the same step does not pause again for it.',
  },
  { id: 'S51', text: 'Checks that are undecided when the last step ends make no release stable.' },
  { id: 'S52', text: 'A check that fails in the look in which the last step ends wins.' },
  { id: 'S53', text: 'No data is never a pass.' },
  { id: 'S54', text: 'NaN, infinities, lists and ranges from a metric source have a declared meaning.' },
  {
    id: 'S55',
    text: 'A source that is down is told apart from a bad result, and the rollout goes on when it is back.',
  },
  {
    id: 'S56',
    text: 'A check that is stopped early is recorded as stopped, not as passed.',
    waits: 'checks run as long as the rollout and none is a step that could be stopped',
  },
  {
    id: 'S57',
    text: 'A job whose program cannot start is never a pass.',
    waits: 'there are no jobs as checks',
  },
  {
    id: 'S58',
    text: 'A job that exceeds its deadline is killed and failed.',
    waits: 'there are no jobs as checks',
  },
  { id: 'S59', text: 'A metric with an initial delay is waited for although others are done.' },
  { id: 'S60', text: 'Passes in a row and a limit of failures combine in four documented ways.' },
  { id: 'S61', text: 'Dry-run metrics are reported and change no outcome.' },
  { id: 'S62', text: 'A restart between two measurements loses neither counts nor time.' },
  {
    id: 'S63',
    text: 'A promotion during the check of a step stops that check, and nothing goes on measuring.',
    waits: 'checks belong to the rollout, not to a step',
  },
  {
    id: 'S64',
    text: 'Baseline and candidate start together, get equal shares, and both go at the end.',
    waits: 'there is no baseline set; stable is the concurrent comparison',
  },
  { id: 'S65', text: 'A secret never shows in logs, events, the journal or error texts.' },
  { id: 'S66', text: 'With fewer requests than the declared minimum there is no verdict.' },
  { id: 'S67', text: 'Two metrics of one name are refused.' },
  { id: 'S77', text: 'A freeze that begins mid-run holds the weight or returns to stable, by policy.' },
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
    id: 'S85',
    text: 'An aborted candidate does not come back when instances are scaled.',
    waits: 'there is no autoscaler for processes',
  },
  { id: 'S86', text: 'A retry starts from zero, with fresh counts and a new attempt.' },
  {
    id: 'S87',
    text: 'A full promotion of an aborted release completes without new checks, and the outcome says so.',
  },
  { id: 'S88', text: 'Stable sent again mid-run means: go back now.' },
  { id: 'S89', text: 'Going back within the window is fast; further back takes all steps.' },
  { id: 'S90', text: 'Going back to a set that is still held is immediate, and its removal is cancelled.' },
  { id: 'S91', text: 'A failed release is not tried again before somebody asks for just that.' },
  {
    id: 'S92',
    text: 'A way back that the router refuses goes on trying, with an alarm, and is never marked done.',
  },
  {
    id: 'S93',
    text: 'A failure during promotion leaves traffic on whatever is healthy, and the reported weight is true.',
  },
  {
    id: 'S94',
    text: 'With hold on failure the weight stays where it is, and a mended release can take its place.',
  },
  {
    id: 'S95',
    text: 'A newer release during the steps: the candidate’s traffic returns first, then the newer one starts from zero.',
  },
  { id: 'S96', text: 'A newer candidate without a ready instance never has a weight above zero.' },
  { id: 'S97', text: 'Bytes and number of instances change in one release.' },
  {
    id: 'S98',
    text: 'Scaling in a pause keeps the split in proportion.',
    waits: 'the number of instances belongs to a release; a change of it is a rollout',
  },
  {
    id: 'S99',
    text: 'A held old set and an autoscaler do not block a new rollout.',
    waits: 'there is no autoscaler for processes',
  },
  {
    id: 'S100',
    text: 'An order to restart goes through the instances within bounds, and a new version cancels it.',
    waits:
      'there is no such order: the agent restarts instances that die, and the same bytes can be deployed under a new version',
  },
  { id: 'S101', text: 'A new controller alone begins no rollout.' },
  { id: 'S102', text: 'A file that cannot be read for a moment is an error, not a change.' },
  {
    id: 'S103',
    text: 'A changed setting or secret is a new release; stable keeps its own through restarts.',
  },
  {
    id: 'S104',
    text: 'Releases that share a configuration do not change what the other runs with.',
    waits: 'a release holds its whole configuration; nothing is shared',
  },
  { id: 'S105', text: 'A secret that rotates outside does not pin stable to a dead copy.' },
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
  { id: 'S113', text: 'The router was changed and the store was not: reading back finds the truth.' },
  { id: 'S114', text: 'Nothing is decided on a stale read after an own write.' },
  { id: 'S115', text: 'Conflicts on every write for a while: the rollout goes on later.' },
  { id: 'S116', text: 'A controller that lost its lease writes nothing any more.' },
  {
    id: 'S117',
    text: 'After an hour without a controller the numbers are looked at first, and one step is done at a time.',
  },
  { id: 'S118', text: 'A clock that jumps neither fires anything twice nor holds anything up for ever.' },
  {
    id: 'S121',
    text: 'Steps of one’s own are undone in reverse order by an abort.',
    waits: 'there are no steps of one’s own yet',
  },
  {
    id: 'S122',
    text: 'A step of one’s own that keeps running is asked again only after its back-off.',
    waits: 'there are no steps of one’s own yet',
  },
  {
    id: 'S123',
    text: 'A new rollout does not take over the state of steps of the one before.',
    waits: 'there are no steps of one’s own yet',
  },
  { id: 'S124', text: 'The router refuses a weight: the step stays, and the reason is shown.' },
  {
    id: 'S125',
    text: 'Two routers end at the same weight, or the earlier change is undone; the difference is visible.',
  },
  {
    id: 'S126',
    text: 'Weights that somebody else set mid-run are reported, and corrected or held by policy.',
  },
  {
    id: 'S127',
    text: 'A tool that writes its weights again and again is found out, reported once, and does not flap the traffic.',
  },
  { id: 'S128', text: 'A zero is written as a zero.' },
  {
    id: 'S130',
    text: 'One of three routers does not take a change: the weight is unconfirmed, and the old instances stay.',
  },
  {
    id: 'S131',
    text: 'A release moves from one router to another: what was under way at the old one ends, and nothing of it stays there.',
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
