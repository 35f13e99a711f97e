/** Sent by the CLI over the socket with the name of the OS user. */
export const ACTOR_HEADER = 'x-sluice-actor'

const MAX_NAME_LENGTH = 64

/** A name fit for the journal and a terminal: letters, digits and `. _ @ + -`, one line, at most 64 characters. */
export function actorName(header: string | undefined, fallback: string): string {
  const name = (header ?? '')
    .normalize('NFC')
    .replace(/[^\p{L}\p{N}._@+ -]/gu, '')
    .replace(/ +/g, ' ')
    .trim()
    .slice(0, MAX_NAME_LENGTH)
  return name === '' ? fallback : name
}
