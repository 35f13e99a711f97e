/** One server-sent event. */
export type ServerEvent = { event: string; data: string }

/** An event larger than this is not one of ours. */
const EVENT_LIMIT_CHARACTERS = 8 * 1024 * 1024

/** Cuts a text stream into events; comments and unknown fields fall away. */
export function createEventReader(): (chunk: string) => ServerEvent[] {
  let rest = ''
  return (chunk) => {
    const blocks = `${rest}${chunk}`.replaceAll('\r\n', '\n').split('\n\n')
    rest = blocks.pop() ?? ''
    if (rest.length > EVENT_LIMIT_CHARACTERS)
      throw new Error(`an event is larger than ${EVENT_LIMIT_CHARACTERS} characters`)
    return blocks.map(readBlock).filter(({ data }) => data !== '')
  }
}

function readBlock(block: string): ServerEvent {
  let event = 'message'
  const data: string[] = []
  for (const line of block.split('\n')) {
    const [, field, value] = /^(event|data): ?(.*)$/.exec(line) ?? []
    if (field === 'event') event = value ?? ''
    if (field === 'data') data.push(value ?? '')
  }
  return { event, data: data.join('\n') }
}
