namespace LoggingService.Tests.Support;

/// <summary>Tests that measure the memory of the process that they run in: nothing else runs meanwhile.</summary>
[CollectionDefinition(nameof(NonParallelTests), DisableParallelization = true)]
public class NonParallelTests;
