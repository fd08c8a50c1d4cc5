using System.Globalization;

namespace LoggingService.Tests.Support;

/// <summary>Metrics in Prometheus's text format.</summary>
internal sealed record MetricsText(string Text)
{
    private readonly Dictionary<string, double> _values = Text.Split('\n', StringSplitOptions.RemoveEmptyEntries)
        .Where(line => !line.StartsWith('#'))
        .ToDictionary(
            line => line[..line.LastIndexOf(' ')].Replace("{}", "", StringComparison.Ordinal),
            line => double.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture));

    /// <summary>The value of a series such as <c>logging_service_transactions_total{outcome="accepted"}</c>.</summary>
    public double this[string series] =>
        Find(series) ?? throw new KeyNotFoundException($"{series} in:\n{Text}");

    public double? Find(string series) => _values.TryGetValue($"logging_service_{series}", out var value) ? value : null;

    /// <summary>The names of all series.</summary>
    public IReadOnlySet<string> Names => _values.Keys.Select(series => series.Split('{')[0]).ToHashSet();

    /// <summary>The names of the metrics, which for a histogram is the name of several series.</summary>
    public IReadOnlyList<string> Metrics =>
    [
        .. from line in Text.Split('\n')
           where line.StartsWith("# TYPE logging_service_", StringComparison.Ordinal)
           select line.Split(' ')[2],
    ];
}
