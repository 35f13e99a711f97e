import type { ServiceSettings } from '../../release/settings.ts'
import { isSelective } from '../../shared/entry.ts'
import type { ShownCertificate } from '../../shared/router-state.ts'
import type { SideView } from './view.ts'

/** Which requests at the address are those of the service, and how long its certificate is good. */
export function entryViews(
  settings: ServiceSettings | null,
  certificate: ShownCertificate | undefined,
): SideView[] {
  if (settings === null) return []
  const { hosts = ['every host'], paths } = settings
  const below = paths === undefined ? '' : `, below ${paths.join(' and ')}`
  const views: SideView[] = []
  if (isSelective(settings))
    views.push({ kind: 'entry', sentence: `only requests for ${hosts.join(', ')}${below} are its own there` })
  if (certificate !== undefined)
    views.push({
      kind: 'certificate',
      sentence: `the certificate for ${certificate.names.join(', ') || 'no name'} is good until ${dateText(certificate.validUntil)}`,
    })
  return views
}

const dateText = (at: number): string => `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`
