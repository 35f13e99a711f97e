/** What the shop still waits for before it can take traffic; `null` when it is ready. */
export const waitingFor = () => null
