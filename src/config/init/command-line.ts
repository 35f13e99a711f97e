import { readCommand, splitWords } from '../command-words.ts'

/** A start line as Sluice runs it. */
export type StartLine = { words: string[]; env: Record<string, string>; takesPort: boolean }

/**
 * Reads a line that was written for a shell (npm script, Procfile): assignments in front become variables, `$PORT` and
 * a fixed port behind a port flag become `{{port}}`. `null` when only a shell can run it.
 */
export function readStartLine(line: string): StartLine | null {
  // Somebody else's placeholders: nobody would fill them here.
  if (line.includes('{{')) return null
  const split = splitWords(
    line
      .replaceAll(/\$\{PORT(?::-\d+)?\}|\$PORT\b/g, '{{port}}')
      .replaceAll('"{{port}}"', '{{port}}')
      .trim(),
  )
  if (split.kind === 'refused') return null
  const words = [...split.value]
  const env: Record<string, string> = {}
  if (words[0] === 'cross-env' || words[0] === 'env') words.shift()
  while (/^[A-Za-z_]\w*=/.test(words[0] ?? '')) {
    const [name = '', ...value] = (words.shift() ?? '').split('=')
    if (name !== 'PORT') env[name] = value.join('=')
  }
  if (words[0] === 'exec') words.shift()
  if (readCommand(words).kind === 'refused') return null
  const ported = words.map((word, index) => withPort(word, words[index - 1] ?? ''))
  return { words: ported, env, takesPort: ported.some((word) => word.includes('{{port}}')) }
}

/** Only flags that mean the port everywhere; `-p` means too many things. */
const PORT_FLAG = /^--?(?:port|http-port|server-port)$/
const BIND_FLAG = /^(?:--bind|-b|--addr|--listen|--host-port)$/

function withPort(word: string, before: string): string {
  if (PORT_FLAG.test(before) && /^\d+$/.test(word)) return '{{port}}'
  if (BIND_FLAG.test(before)) return word.replace(/:\d+$/, ':{{port}}')
  return word
    .replace(/^(--?(?:port|http-port|server-port)=)\d+$/, '$1{{port}}')
    .replace(/^(--(?:bind|addr|listen)=.*:)\d+$/, '$1{{port}}')
}

/** For a line that needs one: a shell by name, which hands over to the last program. */
export const viaShell = (line: string): string[] => ['sh', '-c', line]
