namespace LoggingService.Tests.Support;

/// <summary>Tests that measure the memory of their own process: no other test runs at the same time.</summary>
[CollectionDefinition(nameof(NonParallelTests), DisableParallelization = true)]
public class NonParallelTests;
