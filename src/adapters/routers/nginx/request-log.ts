/** Both in our folder. Of each request a line; and what nginx says of those that an instance broke off. */
export const REQUESTS_LOG = 'requests.log'
export const BROKEN_LOG = 'broken.log'

/**
 * How long a worker may keep lines to itself before it writes them: one write for all of them, instead of one for each,
 * costs a tenth. A worker that ends writes what it has.
 */
export const FLUSH_MS = 100

/** All that write into one file must name the same buffer. */
export const accessLog = (format: string): string =>
  `    access_log ${REQUESTS_LOG} ${format} buffer=64k flush=${FLUSH_MS}ms;`

/** Of what is no request to a service: a question of our own, and what no service takes. */
export const OF_NOBODY = 'sluice_control'
