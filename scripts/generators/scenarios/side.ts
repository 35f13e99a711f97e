/** Who reaches a version besides those whom the weights send there. */
export const SIDE_SCENARIOS: readonly { id: string; text: string }[] = [
  {
    id: 'S42',
    text: 'Requests of testers go to the candidate whatever its weight.',
  },
  {
    id: 'S43',
    text: 'Tester routes are gone when the rollout ends, goes back or a newer candidate comes.',
  },
  {
    id: 'S44',
    text: 'Tester routes are there again after restarts, and no step runs twice.',
  },
  {
    id: 'S45',
    text: 'Only requests that match go to the candidate; all others stay with stable.',
  },
  {
    id: 'S46',
    text: 'Users keep their version while weights rise, and new users keep to the declared share.',
  },
  {
    id: 'S47',
    text: 'After the end no user is bound to a version, and cookies are taken back.',
  },
  {
    id: 'S48',
    text: 'Within a test one variant is served by one release only.',
  },
]
