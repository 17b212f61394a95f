console.log('bench: there are no benchmarks yet.')
