import * as z from 'zod'
import { EXIT_CODE } from '../../core/rollout/outcome.ts'
import { defineCommand } from '../command.ts'
import { completionScript, SHELLS } from '../completion.ts'

export const command = defineCommand({
  description: 'Prints a script that completes commands and options in your shell.',
  arguments: [{ name: 'shell', summary: 'which shell', required: true, choices: SHELLS }],
  options: [],
  examples: ['source <(sluice completion bash)', 'sluice completion fish | source'],
  input: z.object({ shell: z.enum(SHELLS) }),
  async run(session, { shell }) {
    session.io.out(await completionScript(shell, session.catalogue))
    return EXIT_CODE.promoted
  },
})
