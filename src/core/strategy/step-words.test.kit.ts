import type { Step } from '../plan/plan.ts'

/** Steps as short words, with the number that matters: `provision 2`, `traffic 500`, `observe`. */
export const stepWords = (steps: readonly Step[]): string[] =>
  steps.map((step) => {
    switch (step.kind) {
      case 'provision':
      case 'shrink':
        return `${step.kind} ${step.replicas}`
      case 'traffic':
        return `traffic ${step.weightPermille}`
      default:
        return step.kind
    }
  })
