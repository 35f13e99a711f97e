import type { Release } from '../../release/release.ts'
import type { Change } from '../plan.ts'

/** How far two versions are apart, by semantic versioning; `unknown` where one of them is not written that way. */
export type VersionStep = 'major' | 'minor' | 'patch' | 'same' | 'unknown'

/** What a deploy changes of what runs, sorted by what it is. Paths are those of the settings. */
export type ChangeFacts = {
  versions: { from: string; to: string; step: VersionStep }
  code: boolean
  config: string[]
  infrastructure: string[]
  /** Fewer instances, less of the machine, or another address. */
  shrinks: string[]
  /** Declared with another name than in stable's release. */
  declared: { what: Declared; from: string; to: string }[]
  /** Not named in both releases, so that nobody can tell. */
  untold: Declared[]
  /** Made from a working tree with changes that are in no commit. */
  dirty: boolean
}

export const DECLARED = ['api', 'schema', 'framework'] as const
export type Declared = (typeof DECLARED)[number]

const INFRASTRUCTURE = /^(run\.replicas|run\.resources\.|listen\.|hosts$|paths$|tls\.|router$|also\.)/
const CONFIG = /^(run\.(env\.|command|secrets)|secrets\.|health\.|drain\.)/

export function changeFacts(stable: Release, release: Release, changes: readonly Change[]): ChangeFacts {
  const paths = changes.map(({ path }) => path)
  const infrastructure = paths.filter((path) => INFRASTRUCTURE.test(path))
  const names = DECLARED.map((what) => ({
    what,
    from: stable.settings.risk?.[what],
    to: release.settings.risk?.[what],
  }))
  return {
    versions: {
      from: stable.version,
      to: release.version,
      step: versionStep(stable.version, release.version),
    },
    code: paths.includes('artifact'),
    config: paths.filter((path) => CONFIG.test(path)),
    infrastructure,
    shrinks: changes.filter(isShrinking).map(({ path }) => path),
    declared: names.flatMap(({ what, from, to }) =>
      from === undefined || to === undefined || from === to ? [] : [{ what, from, to }],
    ),
    untold: names.flatMap(({ what, from, to }) => (from === undefined || to === undefined ? [what] : [])),
    dirty: release.about?.dirty === true,
  }
}

/** @example versionStep('1.4.2', '2.0.0-rc.1') // 'major' */
export function versionStep(from: string, to: string): VersionStep {
  const [before, after] = [partsOf(from), partsOf(to)]
  if (before === null || after === null) return 'unknown'
  if (before.major !== after.major) return 'major'
  if (before.minor !== after.minor) return 'minor'
  return before.rest === after.rest ? 'same' : 'patch'
}

function partsOf(version: string): { major: string; minor: string; rest: string } | null {
  const found = /^v?(\d+)\.(\d+)(\..*|[-+].*)?$/.exec(version)
  if (found === null) return null
  const [, major = '', minor = '', rest = ''] = found
  return { major, minor, rest }
}

function isShrinking({ path, from, to }: Change): boolean {
  if (/^(router$|listen\.|hosts$|paths$|tls\.)/.test(path)) return true
  if (!INFRASTRUCTURE.test(path)) return false
  // A limit that was not there before is less than all of the machine.
  return Number(to ?? Number.POSITIVE_INFINITY) < Number(from ?? Number.POSITIVE_INFINITY)
}
