using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace LoggingService.Tests.Support;

/// <summary>
/// A real Synapse and a service process, each of which can be stopped and restarted. The logs are in a folder of the test.
/// </summary>
internal sealed partial class SynapseAndService : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private readonly List<ServiceProcess> _runs = [];
    private readonly List<SynapseUser> _users = [];

    private SynapseAndService(TempFolder folder, Synapse synapse)
    {
        Folder = folder;
        Synapse = synapse;
    }

    /// <summary>The service's working directory.</summary>
    public TempFolder Folder { get; }

    public Synapse Synapse { get; }

    /// <summary>The service process that was started last.</summary>
    public ServiceProcess Service => _runs[^1];

    /// <summary>The service's output, over all starts.</summary>
    public IEnumerable<string> Output => _runs.SelectMany(run => run.Output);

    /// <summary>Starts Synapse and, unless the test does so later, the service; waits until they reach each other.</summary>
    /// <remarks>
    /// <c>pathPrefix</c> is the path of the registration's url. <c>synapsesCopy</c> turns the service's registration into
    /// Synapse's copy, which may be wrong.
    /// </remarks>
    public static async Task<SynapseAndService> StartAsync(
        string pathPrefix = "", string moreYaml = "{}", bool startService = true, Func<string, string>? synapsesCopy = null,
        [CallerFilePath] string file = "", [CallerMemberName] string test = "")
    {
        var registration = ServiceUnderTest.RegistrationText($"http://127.0.0.1:{FreePort.Next()}{pathPrefix}");
        var synapse = await Synapse.StartAsync(synapsesCopy?.Invoke(registration) ?? registration, moreYaml: moreYaml);
        var both = new SynapseAndService(TempFolder.ForCaller(file, test), synapse);
        try
        {
            if (startService)
            {
                await File.WriteAllTextAsync(both.Folder["registration.yaml"], registration);
                File.SetUnixFileMode(both.Folder["registration.yaml"], UnixFileMode.UserRead | UnixFileMode.UserWrite);
                both.StartService();
                if (synapsesCopy is null)
                {
                    await both.WaitUntilConnectedAsync();
                }
            }

            return both;
        }
        catch
        {
            await both.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts or restarts the service; without notices, unless an argument says so.</summary>
    public void StartService(params IEnumerable<string> arguments)
    {
        string[] all = ["--homeserver", Synapse.Url.ToString(), .. arguments];
        _runs.Add(ServiceProcess.Start(Folder.Path, all.Contains("--notice") ? all : [.. all, "--notice", "off"]));
    }

    /// <summary>Waits until the service logs that the homeserver knows and reaches it.</summary>
    public Task WaitUntilConnectedAsync() => Service.WaitForLineAsync("INF The homeserver .* knows this service as @.* and reaches it");

    public async Task<SynapseUser> RegisterAsync(string localpart)
    {
        var user = await Synapse.RegisterAsync(localpart);
        _users.Add(user);
        return user;
    }

    /// <summary>The service's own user, as any client with its token can use it.</summary>
    public async Task<SynapseUser> GetServiceUserAsync()
    {
        var user = await SynapseUser.FromTokenAsync(Synapse.Url, ServiceUnderTest.AsToken);
        _users.Add(user);
        return user;
    }

    /// <summary>The event ids of a room's record, in order.</summary>
    public IReadOnlyList<string> RecordedIds(string roomId) =>
        [.. Record(roomId).Select(e => e.GetProperty("event_id").GetString()!)];

    /// <summary>The events of a room's record, in order.</summary>
    public IReadOnlyList<JsonElement> Record(string roomId) => [.. LinesOf(roomId, "jsonl").Select(line => JsonElement.Parse(line))];

    /// <summary>The lines of a room's text, without their timestamps.</summary>
    public IReadOnlyList<string> Text(string roomId) => [.. LinesOf(roomId, "log").Select(line => TimeOfLine().Replace(line, ""))];

    public bool HasLog(string roomId) => Directory.Exists(Folder["logs", roomId]);

    /// <summary>The target of an alias's link, a room id; <c>null</c> if there is no link.</summary>
    public string? Link(string aliasLocalpart) => new FileInfo(Folder["logs", aliasLocalpart]).LinkTarget;

    /// <summary>Waits until an event is in a room's record and its line in the text.</summary>
    public Task WaitUntilLoggedAsync(string roomId, string eventId)
    {
        return WaitUntilAsync(IsLogged, $"{eventId} is in the log of {roomId}", Describe);

        bool IsLogged()
        {
            var ids = RecordedIds(roomId);
            return ids.Contains(eventId) && Text(roomId).Count == ids.Count;
        }

        string Describe()
        {
            var ids = RecordedIds(roomId);
            return $"Recorded: {ids.Contains(eventId)}; the record has {ids.Count} lines, the text {Text(roomId).Count}. ";
        }
    }

    /// <summary>Waits for a condition.</summary>
    /// <exception cref="TimeoutException">It timed out; the message contains the service's output.</exception>
    public async Task WaitUntilAsync(Func<bool> condition, string what, Func<string>? describe = null, TimeSpan? limit = null)
    {
        var clock = Stopwatch.StartNew();
        while (!condition())
        {
            if (clock.Elapsed > (limit ?? Limit))
            {
                throw new TimeoutException($"Timed out: {what}. {describe?.Invoke()}The service's output:\n{string.Join('\n', Output)}");
            }

            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>The ids of all events of a room that the homeserver shows to a member.</summary>
    public static async Task<IReadOnlyList<string>> GetVisibleEventIdsAsync(SynapseUser member, string roomId)
    {
        var ids = new List<string>();
        var from = "";
        while (true)
        {
            var path = $"/_matrix/client/v3/rooms/{Uri.EscapeDataString(roomId)}/messages?dir=b&limit=500{from}";
            var page = (await member.RequestAsync(HttpMethod.Get, path)).EnsureSuccess().Body;
            ids.AddRange(page.GetProperty("chunk").EnumerateArray().Select(e => e.GetProperty("event_id").GetString()!));
            if (!page.TryGetProperty("end", out var end))
            {
                return ids;
            }

            from = $"&from={end.GetString()}";
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var run in _runs)
        {
            await run.DisposeAsync();
        }

        foreach (var user in _users)
        {
            user.Dispose();
        }

        await Synapse.DisposeAsync();
        Folder.Dispose();
    }

    // A line without a newline is still being written.
    private IEnumerable<string> LinesOf(string roomId, string extension) =>
        HasLog(roomId)
            ? Directory.GetFiles(Folder["logs", roomId], $"2*.{extension}").Order(StringComparer.Ordinal)
                .SelectMany(file => File.ReadAllText(file).Split('\n')[..^1])
            : [];

    [GeneratedRegex(@"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d\d:\d\d ")]
    private static partial Regex TimeOfLine();
}
