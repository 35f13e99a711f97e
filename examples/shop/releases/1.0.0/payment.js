import { charge } from './provider.js'

const ATTEMPTS = 3

/** Charges the customer. The provider drops a call now and then, so a dropped call is made again. */
export async function pay(bill) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await charge(bill, attempt)
    } catch (error) {
      if (attempt >= ATTEMPTS) throw error
    }
  }
}
