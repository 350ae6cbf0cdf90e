/** Copies one level of a message. Default values of proto2 fields stand on the prototype, which a spread would lose. */
export function copyMessage<Message extends object>(message: Message, changes: Partial<Message>): Message {
  return Object.assign(Object.create(Object.getPrototypeOf(message)), message, changes);
}
