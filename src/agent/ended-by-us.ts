import type { InstanceRecord } from './instance-record.ts'

/** Whether its end was our doing, and for what. */
export const endedByUs = (record: InstanceRecord): 'stopped-by-us' | 'not-live' | null =>
  record.state === 'stopping' && (record.termSentAt ?? record.quiescedAt) !== null
    ? 'stopped-by-us'
    : record.termSentAt === null
      ? null
      : 'not-live'
