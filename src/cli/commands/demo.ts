import * as z from 'zod'
import { defineCommand } from '../command.ts'

export const command = defineCommand({
  description:
    'Releases an example service by canary under real load, then a bad version that is caught and rolled back. Stays up for you to try; Ctrl-C leaves nothing behind.',
  arguments: [],
  options: [{ flags: '--ci', summary: 'end after the story; exit code 0 only when every promise held' }],
  examples: ['sluice demo', 'sluice demo --ci'],
  input: z.object({ ci: z.boolean().default(false) }),
  async run(_session, { ci }) {
    const { runDemo } = await import('../../demo/demo.ts')
    return runDemo({ ci })
  },
})
