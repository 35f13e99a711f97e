import * as z from 'zod'
import { DurationArgument, defineCommand } from '../command.ts'
import { simulatePlan } from '../simulate/simulate-plan.ts'

export const command = defineCommand({
  description:
    'Carries out a plan in virtual time, by the decisions that the controller would make, against metrics from a file (schema/simulation.schema.json), and prints what happens when. Nothing that runs is changed or asked. Ends as a deploy would: 0 promoted, 10 rolled back, 11 aborted, 12 not over within the time, 16 failed; 2 for a file that cannot be used.',
  arguments: [
    {
      name: 'plan',
      summary: 'version to plan for, or the id of a plan that was made before',
      required: true,
    },
  ],
  options: [
    { flags: '--metrics <file>', summary: 'what users and instances do, in YAML or JSON' },
    { flags: '--seed <number>', summary: 'other chance than that of the file' },
    { flags: '--limit <time>', summary: 'virtual time after which it is given up' },
    { flags: '--explain', summary: 'also what each verdict rests on, as explain shows it' },
  ],
  examples: [
    'sluice simulate 1.4.0 --metrics good.yaml',
    'sluice simulate plan-7k2m9p --metrics bad.yaml --explain',
    'sluice simulate 1.4.0 --metrics bad.yaml --seed 7 --json',
  ],
  input: z.object({
    plan: z.string(),
    metrics: z.string().exactOptional(),
    seed: z.string().exactOptional(),
    limit: DurationArgument.exactOptional(),
    explain: z.boolean().default(false),
  }),
  run: (session, input) => simulatePlan(session, input),
})
