/**
 * Keys of the canonical file that this version does not serve yet. They are no slips, so they get an answer of their
 * own. The parent is the last named key of the path, or `''` at the top of a service or an environment.
 */
const LATER: readonly { parent: string; keys: readonly string[]; what: string; instead: string }[] = [
  {
    parent: '',
    keys: ['from', 'soak'],
    what: 'promotion between environments',
    instead: 'Remove it and deploy to each environment by name.',
  },
  {
    parent: '',
    keys: ['gates', 'quality'],
    what: 'gates',
    instead: 'Remove it and use "pause: manual" at a step that a person shall decide.',
  },
  {
    parent: '',
    keys: ['freeze'],
    what: 'freezes in the file',
    instead: 'Remove it and use "sluice freeze", or write windows.',
  },
  {
    parent: '',
    keys: ['migrations'],
    what: 'migrations',
    instead: 'Remove it and run migrations before the deployment.',
  },
  { parent: '', keys: ['flags'], what: 'feature flags', instead: 'Remove it.' },
  {
    parent: 'strategy',
    keys: ['featureFlag'],
    what: 'rollouts by feature flags',
    instead: 'Write another strategy, for example strategy: { canary: standard }.',
  },
]

/** The remedy for a key of a later version, or `null` when the key is simply not known. */
export function laterKeyRemedy(path: readonly PropertyKey[], key: string): string | null {
  const parent = parentName(path)
  const entry = LATER.find((one) => one.parent === parent && one.keys.includes(key))
  if (entry === undefined) return null
  return `This version runs process services; ${entry.what} will come later. ${entry.instead}`
}

/** `['environments', 'staging']` and `['services', 'shop']` are tops of their own. */
function parentName(path: readonly PropertyKey[]): string {
  const inner = [...path]
  while (inner[0] === 'environments' || inner[0] === 'services') inner.splice(0, 2)
  return inner.map(String).join('.')
}
