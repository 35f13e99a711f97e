import * as z from 'zod'
import { Plan } from '../core/plan/plan.ts'
import { operationOf } from './context.ts'
import { loadPlan } from './make-plan.ts'

export const getPlan = operationOf({
  name: 'get_plan',
  summary: 'One plan that was made before, with its steps, its risk and the strategy that would fit.',
  input: z.strictObject({ id: z.string().describe('Id of the plan.') }),
  output: Plan,
  permission: 'read',
  run: (context, { id }) => loadPlan(context, id),
})
