using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Exporters;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;

// bench/search: the folder for the records and the index, and the number of events.
if (args is ["search", var folder, var events])
{
    return Micro.SearchBenchmark.Run(folder, int.Parse(events));
}

// The cost of the parts of a transaction, in a minute or two. To select: dotnet run -c Release --project bench/Micro -- --filter '*append*'
// Runs in process: building one program per benchmark takes longer than measuring it.
var config = ManualConfig.CreateEmpty()
    .AddJob(Job.Default.WithToolchain(InProcessEmitToolchain.Instance).WithWarmupCount(6).WithIterationCount(10))
    .AddColumnProvider(DefaultColumnProviders.Instance)
    .AddColumn(StatisticColumn.Min, StatisticColumn.Median)
    .HideColumns(Column.Job, Column.InvocationCount, Column.UnrollFactor, Column.Error)
    .AddLogger(ConsoleLogger.Default)
    .AddExporter(MarkdownExporter.GitHub)
    .WithArtifactsPath(Path.Combine(AppContext.BaseDirectory, "results"))
    .WithOptions(ConfigOptions.JoinSummary);
var summaries = BenchmarkRunner.Run(typeof(Micro.Reading).Assembly, config, args);
return summaries.All(summary => summary.Reports.All(report => report.Success)) ? 0 : 1;
