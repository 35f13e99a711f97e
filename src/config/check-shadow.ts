import type { ServiceSettings } from '../core/release/settings.ts'
import { undeclaredMethods } from '../core/release/shadow-settings.ts'
import type { Complaint } from './complaint.ts'

const PATH = 'strategy.shadow'

type Conflict = Complaint & { paths: string[] }

/** Copies that could do harm, and words that would never have an effect. */
export function shadowConflicts({ strategy }: ServiceSettings): Conflict[] {
  if (strategy.kind !== 'shadow') return []
  const { forMs, atMostMs, methods, idempotent } = strategy
  const undeclared = undeclaredMethods(strategy)
  const unused = idempotent.find((one) => !methods.some((method) => method === one.method))
  const conflicts: Conflict[] = []
  if (undeclared.length > 0) conflicts.push(notDeclared(undeclared))
  if (unused !== undefined)
    conflicts.push({
      code: 'CONFIG_CONFLICT',
      paths: [`${PATH}.idempotent`, `${PATH}.methods`],
      message: `declares requests of ${unused.method}, which is not among methods, so that they would never be copied`,
      remedy: `Add ${unused.method} to methods, or remove them.`,
    })
  if (forMs !== null && atMostMs !== undefined && atMostMs < forMs)
    conflicts.push({
      code: 'CONFIG_CONFLICT',
      paths: [`${PATH}.atMost`, `${PATH}.for`],
      message: 'is shorter than for, so that it could never go on by itself',
      remedy: 'Write a time well above for: what is left is for the criteria to be met.',
    })
  return conflicts
}

/** S41. */
function notDeclared(methods: readonly string[]): Conflict {
  const [first = 'POST'] = methods
  const write = methods.length === 1 ? 'writes' : 'write'
  return {
    code: 'CONFIG_SHADOW_WRITES',
    paths: [`${PATH}.methods`, `${PATH}.idempotent`],
    message: `has ${methods.join(' and ')}, which ${write}: a copied request is made twice, and nothing declares that this does no harm`,
    remedy: `Remove ${first} from methods, or declare which requests may be made twice, for example idempotent: [${first} /search].`,
  }
}
