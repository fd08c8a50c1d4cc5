using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Bench;

/// <summary>
/// What readers of the web pages cost the service: 100 transactions a second, without readers and with a burst of 1,000 readers on one day,
/// 500 live connections, and a crawler. All share the processors of this machine, the load itself, too.
/// </summary>
internal sealed class PagesBenchmark(Contender service, string program) : IDisposable
{
    private const string Room = "!pages:localhost";
    private const int Messages = 1000;
    private const int Readers = 1000;
    private const int LiveConnections = 500;
    private const int TransactionsPerSecond = 100;
    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(5);
    private static readonly string Address = $"/r/{Uri.EscapeDataString(Room)}";

    private readonly HttpClient _client = new(new SocketsHttpHandler { AllowAutoRedirect = false }) { Timeout = TimeSpan.FromMinutes(1) };
    private readonly List<Task> _live = [];
    private Process? _pages;
    private string _url = "";
    private int _transaction;
    private int _event;
    private int _reader;
    private long _liveLines;

    public async Task RunAsync(int rounds)
    {
        service.Start();
        await PushAsync(State("m.room.history_visibility", """{"history_visibility":"world_readable"}"""));
        for (var i = 0; i < Messages; i += 100)
        {
            await PushAsync([.. Enumerable.Range(0, 100).Select(_ => Message())]);
        }

        await StartPagesAsync();
        var latest = (await _client.GetAsync(new Uri($"{_url}{Address}/latest"))).Headers.Location!.ToString();
        var day = latest.Split('?', '#')[0];
        var before = Megabytes();
        await OpenLiveAsync(latest.Split('#')[0]);
        await Task.Delay(1000);
        Console.WriteLine(FormattableString.Invariant($"{LiveConnections} live connections: {Megabytes() - before:0.0} MB"));

        var cpu = _pages!.TotalProcessorTime;
        var clock = Stopwatch.StartNew();
        while (clock.Elapsed < 2 * Duration)
        {
            await PushAsync(Message());
            await Task.Delay(1000);
        }

        _pages.Refresh();
        var share = (_pages.TotalProcessorTime - cpu) / clock.Elapsed;
        Console.WriteLine(FormattableString.Invariant($"at one event a second: {share:P1} of a processor, {_liveLines} lines sent"));

        var (without, with) = (new List<double>(), new List<double>());
        for (var round = 0; round < rounds; round++)
        {
            without.AddRange(await TransactAsync());
            using var end = new CancellationTokenSource();
            var readers = Task.WhenAll(Enumerable.Range(0, Readers).Select(_ => ReadAsync(day)).Append(CrawlAsync(day, end.Token)));
            with.AddRange(await TransactAsync());
            await end.CancelAsync();
            await readers;
        }

        without.Sort();
        with.Sort();
        Console.WriteLine("time until the 200 of a transaction, ms: without readers, with readers, ratio");
        foreach (var fraction in (double[])[0.5, 0.95, 0.99])
        {
            var (first, second) = (Report.Percentile([.. without], fraction), Report.Percentile([.. with], fraction));
            Console.WriteLine(FormattableString.Invariant($"p{fraction * 100:0}  {first:0.00}  {second:0.00}  {second / first:0.00}"));
        }
    }

    public void Dispose()
    {
        _pages?.Kill();
        _pages?.Dispose();
        _client.Dispose();
    }

    private async Task StartPagesAsync()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        _url = $"http://{listener.LocalEndpoint}";
        listener.Stop();
        _pages = Process.Start(
            new ProcessStartInfo("setpriv", ["--pdeathsig", "KILL", "--", program, "pages", "--logs", "logs", "--urls", _url])
            {
                WorkingDirectory = service.Folder,
            })!;
        for (var i = 0; i < 200; i++)
        {
            try
            {
                if ((await _client.GetAsync(new Uri($"{_url}{Address}/latest"))).StatusCode == HttpStatusCode.Found)
                {
                    return;
                }
            }
            catch (HttpRequestException)
            {
                // It has not started.
            }

            await Task.Delay(50);
        }

        throw new TimeoutException("The pages do not show the room.");
    }

    private async Task OpenLiveAsync(string address)
    {
        var page = await _client.GetStringAsync(new Uri($"{_url}{address}"));
        var start = page.IndexOf("data-live=\"", StringComparison.Ordinal) + "data-live=\"".Length;
        var live = WebUtility.HtmlDecode(page[start..page.IndexOf('"', start)]);
        for (var i = 0; i < LiveConnections; i++)
        {
            var request = Request(live);
            var response = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
            response.EnsureSuccessStatusCode();
            _live.Add(FollowAsync(response));
        }
    }

    private async Task FollowAsync(HttpResponseMessage response)
    {
        try
        {
            using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
            while (await reader.ReadLineAsync() is { } line)
            {
                if (line == "event: line")
                {
                    Interlocked.Increment(ref _liveLines);
                }
            }
        }
        catch (IOException)
        {
            // The end of the benchmark.
        }
    }

    private async Task ReadAsync(string address)
    {
        using var request = Request(address);
        using var response = await _client.SendAsync(request);
        await response.Content.ReadAsByteArrayAsync();
    }

    private async Task CrawlAsync(string day, CancellationToken end)
    {
        string[] addresses = ["/", Address, day, $"{day}?page=2", $"{day}.txt", $"{Address}/feed.atom"];
        for (var i = 0; !end.IsCancellationRequested; i++)
        {
            await ReadAsync(addresses[i % addresses.Length]);
        }
    }

    /// <summary>As the proxy of this machine, from an address of its own.</summary>
    private HttpRequestMessage Request(string address)
    {
        var number = Interlocked.Increment(ref _reader);
        var request = new HttpRequestMessage(HttpMethod.Get, new Uri($"{_url}{address}"));
        request.Headers.Add("X-Forwarded-For", $"10.{(number >> 16) & 255}.{(number >> 8) & 255}.{number & 255}");
        return request;
    }

    private async Task<List<double>> TransactAsync()
    {
        var milliseconds = new List<double>();
        var clock = Stopwatch.StartNew();
        for (var i = 0; clock.Elapsed < Duration; i++)
        {
            var due = TimeSpan.FromSeconds((double)i / TransactionsPerSecond);
            if (due > clock.Elapsed)
            {
                await Task.Delay(due - clock.Elapsed);
            }

            var start = Stopwatch.GetTimestamp();
            await PushAsync(Message());
            milliseconds.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        }

        return milliseconds;
    }

    private async Task PushAsync(params string[] events)
    {
        using var request = new HttpRequestMessage(
            HttpMethod.Put, new Uri($"http://127.0.0.1:{service.Port}/_matrix/app/v1/transactions/pages{_transaction++}"));
        request.Headers.Authorization = new("Bearer", "hs_token");
        request.Content = new StringContent($$"""{"events":[{{string.Join(',', events)}}]}""", Encoding.UTF8, "application/json");
        using var response = await _client.SendAsync(request);
        response.EnsureSuccessStatusCode();
    }

    private string Message() => Event(
        "m.room.message", $$"""{"msgtype":"m.text","body":"Message {{_event}} about tea, which is as long as a sentence"}""", "");

    private string State(string type, string content) => Event(type, content, ",\"state_key\":\"\"");

    private string Event(string type, string content, string more) =>
        $$"""{"content":{{content}},"event_id":"$pages{{_event++}}","""
        + $$""" "origin_server_ts":{{DateTimeOffset.UtcNow.ToUnixTimeMilliseconds()}},"""
        + $$""" "room_id":"{{Room}}","sender":"@alice:localhost","type":"{{type}}"{{more}}}""";

    private double Megabytes()
    {
        var line = File.ReadLines($"/proc/{_pages!.Id}/status").First(line => line.StartsWith("VmRSS:", StringComparison.Ordinal));
        return double.Parse(line.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1024;
    }
}
