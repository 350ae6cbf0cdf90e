// A worker that cannot even start.
throw new Error('a module is missing');
