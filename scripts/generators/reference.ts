import * as z from 'zod'
import { COMMANDS } from '../../src/cli/command-list.ts'
import type { CommandAbout, CommandListing } from '../../src/cli/command-listing.ts'
import { GROUPS } from '../../src/cli/command-listing.ts'
import { GLOBAL_OPTIONS } from '../../src/cli/global-options.ts'
import { EXIT_CODE } from '../../src/core/rollout/outcome.ts'
import { OPERATIONS } from '../../src/operations/list.ts'
import type { GeneratedFile } from './generated-file.ts'

/** The reference of commands and of operations, from what the program itself says about them. */
export const referenceFiles: GeneratedFile[] = [
  { path: 'docs/reference/commands.md', content: commandsPage },
  { path: 'docs/reference/operations.md', content: operationsPage },
]

const NOTE = '<!-- Made by "npm run generate" from the program. Do not edit. -->'

async function commandsPage(): Promise<string> {
  const chapters = await Promise.all(
    GROUPS.map(async (group) => {
      const listed = COMMANDS.filter((command) => command.group === group)
      const entries = await Promise.all(
        listed.map(async (one) => commandEntry(one, (await one.load()).command)),
      )
      return `## ${group}\n\n${entries.join('\n')}`
    }),
  )
  return `${NOTE}\n# Commands\n\n${GLOBALS}\n\n${chapters.join('\n')}\n${exitCodes()}`
}

const GLOBALS = `Every command takes these, too:

| option | meaning |
|---|---|
${GLOBAL_OPTIONS.map(optionRow).join('\n')}`

function commandEntry({ name, summary }: CommandListing, about: CommandAbout): string {
  const words = about.arguments.map((one) => (one.required ? ` <${one.name}>` : ` [${one.name}]`)).join('')
  const rows = [
    ...about.arguments.map((one) => `| \`${one.name}\` | ${one.summary} |`),
    ...about.options.map(optionRow),
  ]
  const table = rows.length === 0 ? '' : `\n| argument or option | meaning |\n|---|---|\n${rows.join('\n')}\n`
  const examples = `\n\`\`\`sh\n${about.examples.join('\n')}\n\`\`\`\n`
  return `### sluice ${name}${words}\n\n${capital(summary)}.\n${about.description}\n${table}${examples}`
}

function optionRow({ flags, summary }: { flags: string; summary: string }): string {
  return `| \`${flags}\` | ${summary} |`
}

function exitCodes(): string {
  const rows = Object.entries(EXIT_CODE)
    .sort(([, a], [, b]) => a - b)
    .map(([name, code]) => `| ${code} | ${words(name)} |`)
  return `\n## Exit codes\n\nOne table for every command.\n\n| code | meaning |\n|---|---|\n${rows.join('\n')}\n`
}

function operationsPage(): string {
  const intro = `An operation is \`POST /api/v1/<name>\` with a JSON body, on the private socket and, with the token, on 127.0.0.1.
\`GET /api/v1/openapi.json\` describes them to programs; \`GET /api/v1/events\` streams changes (server-sent events).
Refusals are \`application/problem+json\` with a code from [errors](../errors.md).`
  return `${NOTE}\n# Operations of the HTTP API\n\n${intro}\n\n${OPERATIONS.map(operationEntry).join('\n')}`
}

function operationEntry({ name, summary, permission, input }: (typeof OPERATIONS)[number]): string {
  const { properties = {}, required = [] } = InputSchema.parse(z.toJSONSchema(input, { io: 'input' }))
  const rows = Object.entries(properties).map(
    ([field, { type, description, default: preset }]) =>
      `| \`${field}\` | ${type ?? 'any'}${required.includes(field) ? ', required' : ''} | ${preset === undefined ? '' : `\`${JSON.stringify(preset)}\``} | ${description ?? ''} |`,
  )
  const table =
    rows.length === 0
      ? 'No input.\n'
      : `| input | type | default | meaning |\n|---|---|---|---|\n${rows.join('\n')}\n`
  const does = permission === 'read' ? 'Changes nothing.' : 'Recorded with its caller.'
  return `## ${name}\n\n${summary}\n${does}\n\n${table}`
}

/** What of a JSON Schema the page shows. */
const InputSchema = z.object({
  properties: z
    .record(
      z.string(),
      z.object({
        type: z.string().optional(),
        description: z.string().optional(),
        default: z.unknown().optional(),
      }),
    )
    .optional(),
  required: z.array(z.string()).optional(),
})

const words = (name: string): string =>
  name
    .replaceAll(/([A-Z])/g, ' $1')
    .replaceAll('_', ' ')
    .toLowerCase()
const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)
