using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;
using LoggingService.Tests.Support;

namespace LoggingService.Tests;

/// <summary>What is shipped for Prometheus and Grafana, and the table in docs/monitoring.md, agree with the running service.</summary>
public sealed partial class MonitoringFilesTests : IDisposable
{
    private static readonly string Packaging = Path.Combine(AppContext.BaseDirectory, "packaging");
    private static readonly string Alerts = Path.Combine(Packaging, "prometheus", "alerts.yaml");
    private static readonly string Dashboard = Path.Combine(Packaging, "grafana", "logging-service.json");
    private static readonly string Page = Path.Combine(AppContext.BaseDirectory, "docs", "monitoring.md");
    private readonly TempFolder _folder = TempFolder.ForCaller();
    private readonly FakeHomeserver _homeserver = new();

    public void Dispose()
    {
        _homeserver.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task The_dashboard_the_alerts_and_the_document_name_only_metrics_that_exist()
    {
        await using var service = await RunningService.StartMonitoredAsync(_folder, _homeserver);
        var metrics = await GetAllMetricsAsync(service);

        foreach (var path in (string[])[Alerts, Dashboard, Page])
        {
            var named = MetricName().Matches(await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken))
                .Select(match => match.Value).Distinct().ToList();
            Assert.NotEmpty(named);
            Assert.Empty(named.Except(metrics.Names).Except(metrics.Metrics));
        }

        var rows = TableRow().Matches(await File.ReadAllTextAsync(Page, TestContext.Current.CancellationToken));
        Assert.Equal(metrics.Metrics.Order(StringComparer.Ordinal), rows.Select(row => row.Groups[1].Value).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task The_alerts_pass_their_tests()
    {
        PrometheusPackage.EnsureInstalled();

        await PrometheusPackage.CheckAsync("", "check", "rules", Alerts);
        await PrometheusPackage.CheckAsync("", "test", "rules", Path.Combine(Packaging, "prometheus", "alerts.test.yaml"));
    }

    [Fact]
    public async Task Prometheus_scrapes_the_service_and_answers_each_query_of_the_dashboard_and_the_alerts()
    {
        PrometheusPackage.EnsureInstalled();
        await using var service = await RunningService.StartMonitoredAsync(_folder, _homeserver);
        var metrics = await GetAllMetricsAsync(service);
        await PrometheusPackage.CheckAsync(metrics.Text, "check", "metrics");

        var port = FreePort.Next();
        await File.WriteAllTextAsync(
            _folder["prometheus.yml"],
            $"""
            global: {"{"} scrape_interval: 1s, evaluation_interval: 1s {"}"}
            rule_files: ["{Alerts}"]
            scrape_configs:
              - job_name: logging-service
                static_configs: [{"{"} targets: ["127.0.0.1:{new Uri(service.Admin!).Port}"] {"}"}]
            """,
            TestContext.Current.CancellationToken);
        using var prometheus = ChildProcess.Start(new("prometheus",
        [
            $"--config.file={_folder["prometheus.yml"]}", $"--storage.tsdb.path={_folder["prometheus"]}",
            $"--web.listen-address=127.0.0.1:{port}", "--log.level=error",
        ]));
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = new($"http://127.0.0.1:{port}/") };
        try
        {
            // Two scrapes, for rates.
            await WaitForAsync("count_over_time(logging_service_backlog_size_bytes[1m]) >= 2");
            foreach (var expression in GetExpressions())
            {
                Assert.True((await QueryAsync(expression)).Length > 0 || IsCondition(expression), $"no data: {expression}");
            }

            using var rules = await http.GetFromJsonAsync<JsonDocument>("api/v1/rules", TestContext.Current.CancellationToken);
            Assert.All(
                rules!.RootElement.GetProperty("data").GetProperty("groups")[0].GetProperty("rules").EnumerateArray(),
                rule => Assert.Equal("", rule.TryGetProperty("lastError", out var error) ? error.GetString() : ""));
        }
        finally
        {
            prometheus.Kill();
            await prometheus.WaitForExitAsync(TestContext.Current.CancellationToken);
        }

        async Task WaitForAsync(string expression)
        {
            var end = DateTime.UtcNow.AddSeconds(30);
            while (true)
            {
                try
                {
                    if ((await QueryAsync(expression)).Length > 0)
                    {
                        return;
                    }
                }
                catch (HttpRequestException)
                {
                    // It starts.
                }

                Assert.True(DateTime.UtcNow < end && !prometheus.HasExited, $"Timed out: {expression}");
                await Task.Delay(200, TestContext.Current.CancellationToken);
            }
        }

        async Task<JsonElement[]> QueryAsync(string expression)
        {
            using var response = await http.GetAsync(
                $"api/v1/query?query={Uri.EscapeDataString(expression)}", TestContext.Current.CancellationToken);
            var text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
            Assert.True(response.IsSuccessStatusCode || (int)response.StatusCode == 503, $"{expression}: {text}");
            response.EnsureSuccessStatusCode();
            return [.. JsonElement.Parse(text).GetProperty("data").GetProperty("result").EnumerateArray()];
        }
    }

    /// <summary>An alert, which is empty while all is well.</summary>
    private static bool IsCondition(string expression) => Comparison().IsMatch(expression);

    /// <summary>The queries with what Grafana replaces.</summary>
    private static List<string> GetExpressions()
    {
        var dashboard = JsonElement.Parse(File.ReadAllText(Dashboard));
        var panels = from panel in dashboard.GetProperty("panels").EnumerateArray()
                     where panel.TryGetProperty("targets", out _)
                     from target in panel.GetProperty("targets").EnumerateArray()
                     select target.GetProperty("expr").GetString()!;
        var alerts = AlertExpression().Matches(File.ReadAllText(Alerts)).Select(match => match.Groups[1].Value);
        return
        [
            .. panels.Concat(alerts).Select(expression => expression
                .Replace("$__rate_interval", "1m", StringComparison.Ordinal).Replace("$instance", ".*", StringComparison.Ordinal)),
        ];
    }

    /// <summary>The metrics after each instrument was used.</summary>
    private static async Task<MetricsText> GetAllMetricsAsync(RunningService service)
    {
        Assert.Equal(200, await service.PushAsync(Some.Message(Some.RoomId())));

        // A checkpoint follows when the service was idle for 5 s.
        return await service.GetMetricsAsync(until: metrics =>
            metrics.Names.Contains("logging_service_checkpoint_last_success_timestamp_seconds")
            && metrics.Names.Contains("logging_service_logs_files"));
    }

    [GeneratedRegex(@"\blogging_service_\w+")]
    private static partial Regex MetricName();

    [GeneratedRegex(@"(?m)^\| `(logging_service_\w+)` \|")]
    private static partial Regex TableRow();

    [GeneratedRegex(@"(?m)^ +expr: (.+)$")]
    private static partial Regex AlertExpression();

    [GeneratedRegex(@" (<|>|==) ")]
    private static partial Regex Comparison();
}
