import type { Result } from '../../core/shared/result.ts'
import type { SettleMessage, Store } from '../../ports/store.ts'

/** One operation of the store that has ended. `settled` is what became of a message, where that was the operation. */
export type StoreOperation = {
  name: string
  tookMs: number
  result: Result<unknown>
  settled: SettleMessage | null
}

/** The same store; every operation that does something is told when it is over. */
export function observeStore(
  store: Store,
  monotonic: () => number,
  tell: (operation: StoreOperation) => void,
): Store {
  async function timed<T>(
    name: string,
    running: Promise<Result<T>>,
    settled: SettleMessage | null = null,
  ): Promise<Result<T>> {
    const begunAt = monotonic()
    const result = await running
    tell({ name, tookMs: monotonic() - begunAt, result, settled })
    return result
  }
  return {
    kind: store.kind,
    shared: store.shared,
    join: (controller) => timed('join', store.join(controller)),
    claim: (request) => timed('claim', store.claim(request)),
    renew: (request) => timed('renew', store.renew(request)),
    release: (streams) => timed('release', store.release(streams)),
    raiseEpoch: (request) => timed('raiseEpoch', store.raiseEpoch(request)),
    leases: () => timed('leases', store.leases()),
    load: (stream) => timed('load', store.load(stream)),
    append: (request) => timed('append', store.append(request)),
    streams: () => timed('streams', store.streams()),
    events: (request) => timed('events', store.events(request)),
    putDocument: (document) => timed('putDocument', store.putDocument(document)),
    getDocument: (kind, id) => timed('getDocument', store.getDocument(kind, id)),
    listDocuments: (request) => timed('listDocuments', store.listDocuments(request)),
    pendingMessages: (now, limit) => timed('pendingMessages', store.pendingMessages(now, limit)),
    settleMessage: (settle) => timed('settleMessage', store.settleMessage(settle), settle),
    listMessages: (limit) => timed('listMessages', store.listMessages(limit)),
    prune: (request) => timed('prune', store.prune(request)),
    dump: (onRow) => timed('dump', store.dump(onRow)),
    fill: (rows) => timed('fill', store.fill(rows)),
    listen: (onChange) => store.listen(onChange),
    close: () => store.close(),
  }
}
