import { randomUUID } from 'node:crypto'
import * as z from 'zod'
import { runAction } from '../action.ts'
import { defineCommand, wholeNumber } from '../command.ts'

export const command = defineCommand({
  description:
    'Takes a process or a container that already serves under control as it is, without a restart. It becomes the stable version; the next deployment replaces it step by step.',
  arguments: [],
  options: [
    { flags: '--version <version>', summary: 'what the running process is' },
    { flags: '--port <port>', summary: 'where it listens' },
    { flags: '--pid <pid>', summary: 'its process id (found through the port when left out)' },
    {
      flags: '--container <name>',
      summary: 'its name or id (found through a published port when left out)',
    },
  ],
  examples: [
    'sluice adopt --version 1.0.0 --port 3000',
    'sluice adopt --version 1.0.0 --port 8080 --container shop_web_1',
  ],
  input: z.object({
    version: z.string('adopt needs --version'),
    port: z.string('adopt needs --port').pipe(wholeNumber(1, 65_535)),
    pid: wholeNumber(1, 4_194_304).exactOptional(),
    container: z.string().min(1).exactOptional(),
  }),
  run: (session, input) => runAction(session, 'adopt', input, randomUUID()),
})
