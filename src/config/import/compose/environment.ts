import { oneLine } from '../../init/render.ts'
import { readEnvValue, VARIABLE_NAME } from '../../scalars.ts'
import { looksSecret } from '../env-names.ts'
import { variablesIn } from './interpolate.ts'
import type { Keys } from './notes.ts'

/** The variables of a service: what is in the file, and by name only what is secret. */
export type Environment = {
  env: Record<string, string>
  secrets: string[]
  /** PORT, which Sluice sets itself: where the program listens in the container. */
  port: number | null
}

/** More than any program reads. */
const MAX_VARIABLES = 1000
const PORT = /^\d{1,5}$/

/** Reads `environment` as a list or a mapping. No value that looks secret is ever taken over. */
export function environmentOf(keys: Keys): Environment {
  const variables = variablesOf(keys).slice(0, MAX_VARIABLES)
  const env = new Map<string, string>()
  const secrets = new Set<string>()
  let port: number | null = null
  for (const [name, written] of variables) {
    const use = useOf(keys, name, written)
    if (use === 'secret') secrets.add(name)
    else if (use !== 'none' && name === 'PORT') port = PORT.test(use.value) ? Number(use.value) : port
    else if (use !== 'none') env.set(name, use.value)
  }
  const literal = variables.filter(([name, value]) => secrets.has(name) && value !== null)
  if (literal.length > 0)
    keys.check(
      `${literal.map(([name]) => name).join(', ')} of ${keys.service} ${literal.length === 1 ? 'looks' : 'look'} like a secret, so only the name stands here. Put the value into .sluice/secrets.env (mode 0600).`,
    )
  return { env: Object.fromEntries(env), secrets: [...secrets], port }
}

/** `null`: Compose takes the value from the shell. */
function variablesOf(keys: Keys): [name: string, value: string | null][] {
  const written = keys.raw('environment')
  if (Array.isArray(written))
    return written.map((line) => {
      const [name = '', ...value] = String(line).split('=')
      return [name, value.length === 0 ? null : value.join('=')]
    })
  if (typeof written !== 'object' || written === null) return []
  return Object.entries(written).map(([name, value]) => [name, textOf(value)])
}

const textOf = (value: unknown): string | null =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : null

type Use = { value: string } | 'secret' | 'none'

function useOf(keys: Keys, name: string, written: string | null): Use {
  const leaveOut = (why: string): Use => {
    keys.leaveOut(`environment.${oneLine(name)}`, why)
    return 'none'
  }
  if (!VARIABLE_NAME.test(name)) return leaveOut('It is no name of a variable.')
  if (name === 'SLUICE_VERSION') return leaveOut('Sluice sets it itself for each instance.')
  if (isSecret(name, written)) return 'secret'
  if (written === null)
    return leaveOut(
      'Its value comes from the shell or a .env. Write it under run.env, or its name under run.secrets.',
    )
  const text = keys.fill(`environment.${name}`, written)
  if (text === undefined) return 'none'
  // Somebody else's placeholder would be refused, and ours would be filled.
  if (text.includes('{{') || readEnvValue(text).kind === 'refused')
    return leaveOut('Its value has a {{placeholder}} or a character that no variable can hold.')
  return { value: text }
}

/** By its name, by a secret variable in it, or by a password in an address. */
function isSecret(name: string, written: string | null): boolean {
  if (name === 'PORT') return false
  if (written === null) return looksSecret(name)
  if (/:\/\/[^\s/@:]*:[^\s/@]+@/.test(written)) return true
  if (variablesIn(written).some(looksSecret)) return true
  return looksSecret(name) && !isHarmless(name, written)
}

/** What stands under such a name and tells nothing: the path of a secret, an address without a password, a switch. */
function isHarmless(name: string, value: string): boolean {
  if (value === '' || /^(true|false|yes|no|on|off)$/i.test(value)) return true
  if (/_FILE$/.test(name) || value.startsWith('/run/secrets/')) return !value.includes('$')
  return /(URL|URI)$/i.test(name) && /^[a-z][a-z0-9+.-]*:\/\/[\w.:/-]*$/i.test(value)
}
