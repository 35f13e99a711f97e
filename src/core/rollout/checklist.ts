import * as z from 'zod'

/** One thing that must be so before a candidate becomes stable. `waived`: a person let it pass, by name. */
export const ChecklistItem = z.object({
  name: z.enum(['instances', 'traffic', 'stages', 'watch', 'checks']),
  state: z.enum(['passed', 'waived', 'failed']),
  text: z.string(),
  by: z.string().nullable(),
})
export type ChecklistItem = z.infer<typeof ChecklistItem>

/** `3 passed, watch waived by ada` */
export function checklistText(items: readonly ChecklistItem[]): string {
  const passed = items.filter(({ state }) => state === 'passed').length
  const waived = items.filter(({ state }) => state === 'waived')
  return [`${passed} passed`, ...waived.map(({ name, by }) => `${name} waived by ${by ?? 'nobody'}`)].join(
    ', ',
  )
}
