// Text of the first script in the context of a JavaScript problem: what the tests rely on is locked, then `console` and `require` are
// made. It is evaluated in the context, so that no object of the outer realm is within reach of the code that follows.
// `md5` is the one function from outside; it stays in closures here.
(function lockDown(md5) {
  const { defineProperty, getOwnPropertyDescriptor, getOwnPropertyNames } = Object;
  const { apply, ownKeys } = Reflect;
  const stringify = JSON.stringify;
  const lock = object => {
    for (const key of ownKeys(object)) {
      // Objects that inherit these could otherwise not have their own.
      if (key === 'constructor' || key === 'toString' || key === 'valueOf') continue;
      const descriptor = getOwnPropertyDescriptor(object, key);
      if (!descriptor.configurable) continue;
      if ('value' in descriptor) defineProperty(object, key, { writable: false, configurable: false });
      else defineProperty(object, key, { configurable: false });
    }
  };
  const prototypes = [Object, Array, String, Number, Boolean, BigInt, Symbol, Date].map(({ prototype }) => prototype);
  JSON.stringify = (...values) => {
    for (const prototype of prototypes) {
      const own = getOwnPropertyDescriptor(prototype, 'toJSON');
      if (own && prototype !== Date.prototype) throw new TypeError('toJSON of a built-in prototype was changed');
    }
    return apply(stringify, undefined, values);
  };
  let failures = 0;
  const ignore = () => {};
  const assert = (condition, message) => {
    if (condition) return;
    failures++;
    throw new Error(`assertion failed${message === undefined ? '' : `: ${message}`}`);
  };
  const console = { assert, log: ignore, error: ignore, warn: ignore, info: ignore, debug: ignore };
  const createHash = name => {
    if (name !== 'md5') throw new Error(`there is no hash ${name} here`);
    let text = '';
    return {
      update(more) {
        text += more;
        return this;
      },
      digest: () => md5(text),
    };
  };
  const require = name => {
    if (name === 'crypto' || name === 'node:crypto' || name === 'js-md5') {
      return name === 'js-md5' ? value => md5(`${value}`) : { createHash };
    }
    throw new Error(`there is no module ${name} here`);
  };
  for (const object of [console, JSON, Math, Reflect, ...prototypes]) lock(object);
  for (const name of getOwnPropertyNames(globalThis)) {
    const value = globalThis[name];
    if (typeof value === 'function' && value !== globalThis) lock(value);
  }
  for (const [name, value] of [
    ['console', console],
    ['require', require],
    ['JSON', JSON],
    ['Math', Math],
    ['Object', Object],
    ['Array', Array],
    ['Number', Number],
    ['String', String],
  ]) {
    defineProperty(globalThis, name, { value, writable: false, enumerable: false, configurable: false });
  }
  return () => failures;
});
