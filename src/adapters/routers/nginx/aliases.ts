const ALIAS = /^map "" \$(\w+) \{ default ([\w$]+|""); \}\n/gm
const VARIABLE = /\$(?:\{(\w+)\}|(\w+))/g
const EMPTY_HEADER = /^ *add_header [\w-]+ "" always;\n/gm

/** A variable that holds the same for each request: a word, another variable, or nothing. */
export const alias = (variable: string, value: string): string => `map "" ${variable} { default ${value}; }`

/**
 * nginx works a variable out anew for each request, and each that only hands another one on costs as much. So all of them
 * are written out: their value stands wherever they are asked for.
 *
 * @example withoutAliases('map "" $by { default weight; }\nlog_format x "$by";') // 'log_format x "weight";'
 */
export function withoutAliases(text: string): string {
  const aliases = new Map([...text.matchAll(ALIAS)].map(([, name = '', value = '']) => [name, value]))
  const meant = (name: string): string => {
    const value = aliases.get(name) ?? ''
    return value.startsWith('$') && aliases.has(value.slice(1)) ? meant(value.slice(1)) : value
  }
  return text
    .replace(ALIAS, '')
    .replace(VARIABLE, (whole: string, braced: string, plain: string, at: number, all: string) => {
      const name = braced ?? plain
      if (!aliases.has(name)) return whole
      const [value, before, after] = [meant(name), all[at - 1] ?? '', all[at + whole.length] ?? '']
      // Within a longer text, nothing needs no quotes.
      if (value === '""') return /\s/.test(before) && /[\s;]/.test(after) ? value : ''
      return value.startsWith('$') && /\w/.test(after) ? `\${${value.slice(1)}}` : value
    })
    .replace(EMPTY_HEADER, '')
}
