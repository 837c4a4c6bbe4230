// torch's generator, gradient mode and thread pool, and the console, belong to the process: two tests at a time would see each other's.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
