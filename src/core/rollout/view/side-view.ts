import { matchText } from '../../shared/request-match-text.ts'
import type { RequestMatch } from '../../shared/side-routes.ts'
import type { ServiceState } from '../state.ts'
import type { SideView } from './view.ts'

/** Where requests go besides the weights now, one sentence each. */
export function sideViews(state: ServiceState): SideView[] {
  const { preview, rules, sticky } = state.traffic.side
  const nameOf = (release: string): string =>
    state.sets.find((set) => set.release === release)?.version ?? release
  const views: SideView[] = []
  if (preview !== null) {
    const address = `${preview.listen.host}:${preview.listen.port}`
    const version = preview.release === null ? null : nameOf(preview.release)
    const shown = version === null ? 'has nothing to show' : `shows ${version}`
    views.push({ kind: 'preview', sentence: `${address} ${shown}`, shows: { address, version } })
  }
  for (const { match, release } of rules)
    views.push({ kind: 'rule', sentence: ruleText(match, nameOf(release)) })
  if (sticky?.kind === 'assign')
    views.push({ kind: 'sticky', sentence: `users keep their version by the cookie ${sticky.cookie}` })
  return views
}

const ruleText = (match: RequestMatch, version: string): string =>
  `requests whose ${matchText(match)} go to ${version}`
