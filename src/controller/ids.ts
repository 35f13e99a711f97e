import { randomInt } from 'node:crypto'
import type { Ids } from '../ports/ids.ts'

const RANDOM_RANGE = 36 ** 4

/** Time in base 36 and four random digits: sortable by creation, short enough to type. */
export const randomIds: Ids = {
  next: (prefix) =>
    `${prefix}-${Date.now().toString(36)}${randomInt(RANDOM_RANGE).toString(36).padStart(4, '0')}`,
}
