import { stringify } from 'yaml'
import type { Detection } from './detection.ts'

export const SCHEMA_LINE = '# yaml-language-server: $schema=./node_modules/sluice/schema/sluice.schema.json'

/** The new `sluice.yaml`, with a comment for each choice. It loads as it is. */
export function renderConfig({ service, command, env, health, findings, toCheck }: Detection): string {
  const variables = Object.entries(env)
  const usesFlag = command.some((word) => word.includes('{{port}}'))
  return [
    SCHEMA_LINE,
    '# Written by "sluice init". Every key and default: docs/reference/configuration.md, or run "sluice explain".',
    ...findings.map((finding) => `#   ${oneLine(finding)}`),
    ...toCheck.map((what) => `# To check: ${oneLine(what)}`),
    '',
    `service: ${service}`,
    '',
    'run:',
    '  # What a version is: a folder, tarball or file. Each release runs from its own read-only copy.',
    '  # Write for example ./releases/{{version}} if every version has a folder of its own.',
    '  artifact: .',
    usesFlag
      ? '  # {{port}} becomes the port of the instance.'
      : '  # The service must listen on the port in the variable PORT.',
    `  command: ${commandText(command)}`,
    '  # Two instances keep the service up when one of them fails.',
    '  replicas: 2',
    ...(variables.length === 0
      ? []
      : ['  env:', ...variables.map(([name, value]) => `    ${name}: ${JSON.stringify(value)}`)]),
    '  # Names of secrets, never their values:',
    '  # secrets: [DATABASE_URL]',
    '',
    ...doorLines(health),
    '',
    'strategy:',
    '  # 5%, 25%, 50%, 100% of live traffic, watched at every step. Others: cautious, quick, or steps of your own.',
    '  canary: standard',
    '',
  ].join('\n')
}

/** A line where the word splitter reads it back as it is, a list otherwise; in quotes where YAML needs them. */
export function commandText(words: readonly string[]): string {
  const isPlain = words.every((word) => /^[\w./@=,+:{}-]+$/.test(word))
  return isPlain
    ? stringify(words.join(' '), { lineWidth: 0 }).trimEnd()
    : `[${words.map((word) => JSON.stringify(word)).join(', ')}]`
}

/** Names come from files of the project: a line break in one must not leave the comment. */
export const oneLine = (text: string): string => text.replaceAll(/[\p{Cc}\u2028\u2029]/gu, ' ')

/** Where requests come in, and how an instance says that it can take them. */
export const doorLines = (health: Detection['health']): string[] => [
  '# Where the service takes traffic. Instances get ports of their own behind it.',
  'listen: 127.0.0.1:8080',
  '',
  'health:',
  health.seenAt === null
    ? '  # No health path was found. Name one that answers 200 only when the service can take traffic.'
    : `  # Seen in ${oneLine(health.seenAt)}. It must answer 200 only when the service can take traffic.`,
  `  path: ${health.path}`,
]
