import type { DatabaseSync } from 'node:sqlite'
import { DamagedRowError, readFileEpoch, readStream, sealLease, sealMeta } from './rows.ts'
import { FORMAT, FROM_1_TO_2, FROM_2_TO_3 } from './schema.ts'
import { readFormat } from './verify.ts'

/**
 * Brings an older file to the newest format, in the transaction of the caller. Only the owner does this, because others may
 * still look at the file with an older version.
 */
export function migrate(db: DatabaseSync): void {
  const found = readFormat(db)
  if (found === FORMAT) return
  if (found !== 1 && found !== 2)
    throw new DamagedRowError(`meta format: ${found} is not a format that can be brought up`)
  if (found === 1) splitLease(db)
  db.exec(FROM_2_TO_3)
  db.prepare("UPDATE meta SET value = ?, crc = ? WHERE name = 'format'").run(
    `${FORMAT}`,
    sealMeta('format', `${FORMAT}`),
  )
}

/** The epoch of the file becomes that of every stream, so that the next taking is above all that was done before. */
function splitLease(db: DatabaseSync): void {
  const epoch = readFileEpoch(db.prepare('SELECT epoch, crc FROM lease WHERE id = 1').get())
  db.exec(FROM_1_TO_2)
  const add = db.prepare('INSERT INTO leases (stream, epoch, session, crc) VALUES (?, ?, NULL, ?)')
  for (const row of db.prepare('SELECT * FROM streams').all()) {
    const { stream } = readStream(row)
    add.run(stream, epoch, sealLease({ stream, epoch, session: null }))
  }
}
