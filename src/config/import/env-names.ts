import { VARIABLE_NAME } from '../scalars.ts'

/** Set by Sluice for each instance, so nobody else may. */
const RESERVED = ['PORT', 'SLUICE_VERSION']
/** Words in the names of what should not be read by everybody. Better one too many: a secret can also hold what is none. */
const SECRET_WORDS =
  /(^|_)(SECRET|TOKEN|PASSWORD|PASSWD|PASS|PWD|KEY|KEYS|DSN|CREDENTIALS?|PRIVATE|AUTH|SALT|CERT|URI|URL|WEBHOOK)(_|$|\d)/i

export type EnvNames = { secrets: string[]; others: string[] }

/**
 * The names that a `.env` file sets, sorted by whether they look like secrets. Values are not looked at: a line counts up
 * to its first `=`. Lines that are no assignment are left out, since those of a value over several lines look the same.
 */
export function envNames(text: string): EnvNames {
  const names = text
    .split(/\r?\n/)
    .flatMap((line) => /^\s*(?:export\s+)?([^\s=#]+)\s*=/.exec(line)?.[1] ?? [])
  const known = [...new Set(names)].filter((name) => VARIABLE_NAME.test(name) && !RESERVED.includes(name))
  return {
    secrets: known.filter(looksSecret),
    others: known.filter((name) => !looksSecret(name)),
  }
}

export const looksSecret = (name: string): boolean => SECRET_WORDS.test(name)
