/** One effective value, written as in the file. */
export type Value = readonly [path: string, value: string]

export const listValues = <T>(path: string, items: readonly T[], text: (item: T) => string): Value[] =>
  items.length === 0 ? [[path, '[]']] : items.map((item, index) => [`${path}[${index}]`, text(item)])

/** @example `127.0.0.1:8080`, `[::1]:8080` */
export const addressText = ({ host, port }: { host: string; port: number }): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`

export const listText = (words: readonly string[]): string => `[${words.map(wordText).join(', ')}]`

/** Quotes only what YAML would read as something else. */
export const wordText = (word: string): string =>
  /^[A-Za-z_./-][\w./@:=-]*$/.test(word) && !/:$/.test(word) && !/^(true|false|null|~|-)$/.test(word)
    ? word
    : JSON.stringify(word)
