using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace LoggingService.Tests.Support;

/// <summary>
/// A real Synapse and the service as a process beside it, each of which can be stopped and started again, with the logs in
/// a folder of the test's own.
/// </summary>
internal sealed partial class SynapseAndService : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private readonly List<ServiceProcess> _runs = [];
    private readonly List<SynapseUser> _users = [];

    private SynapseAndService(TempFolder folder, Synapse synapse) => (Folder, Synapse) = (folder, synapse);

    /// <summary>The service's working directory.</summary>
    public TempFolder Folder { get; }

    public Synapse Synapse { get; }

    /// <summary>The service's process that was started last.</summary>
    public ServiceProcess Service => _runs[^1];

    /// <summary>What the service wrote to the terminal, over all of its starts.</summary>
    public IEnumerable<string> Output => _runs.SelectMany(run => run.Output);

    /// <summary>Starts Synapse and, unless the test does it, the service; waits until they know each other.</summary>
    /// <remarks><c>pathPrefix</c>: the path of the registration's url; <c>synapsesCopy</c>: makes of the service's registration the copy that Synapse has, which needn't be right.</remarks>
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

    /// <summary>Starts the service, or starts it again.</summary>
    public void StartService(params IEnumerable<string> arguments) =>
        _runs.Add(ServiceProcess.Start(Folder.Path, ["--homeserver", Synapse.Url.ToString(), .. arguments]));

    /// <summary>Waits until the service says that the homeserver knows and reaches it.</summary>
    public Task WaitUntilConnectedAsync() => Service.WaitForLineAsync("INF The homeserver .* knows this service, as @.*, and reaches it");

    /// <summary>Registers a user.</summary>
    public async Task<SynapseUser> RegisterAsync(string localpart)
    {
        var user = await Synapse.RegisterAsync(localpart);
        _users.Add(user);
        return user;
    }

    /// <summary>The service's own user, as somebody with its token could use it.</summary>
    public async Task<SynapseUser> GetServiceUserAsync()
    {
        var user = await SynapseUser.FromTokenAsync(Synapse.Url, ServiceUnderTest.AsToken);
        _users.Add(user);
        return user;
    }

    /// <summary>The ids of the events in a room's record, in its order.</summary>
    public IReadOnlyList<string> RecordedIds(string roomId) => [.. Record(roomId).Select(e => e.GetProperty("event_id").GetString()!)];

    /// <summary>The events in a room's record, in its order.</summary>
    public IReadOnlyList<JsonElement> Record(string roomId) => [.. LinesOf(roomId, "jsonl").Select(line => JsonElement.Parse(line))];

    /// <summary>A room's text, each line without the date and time that it begins with.</summary>
    public IReadOnlyList<string> Text(string roomId) => [.. LinesOf(roomId, "log").Select(line => TimeOfLine().Replace(line, ""))];

    /// <summary>Whether the service has a folder for a room.</summary>
    public bool HasLog(string roomId) => Directory.Exists(Folder["logs", roomId]);

    /// <summary>The room to whose folder an alias's link leads; <c>null</c> if there is none.</summary>
    public string? Link(string aliasLocalpart) => new FileInfo(Folder["logs", aliasLocalpart]).LinkTarget;

    /// <summary>Waits until an event is in a room's record, and its line in the text.</summary>
    public Task WaitUntilLoggedAsync(string roomId, string eventId) => WaitUntilAsync(
        () => RecordedIds(roomId) is var ids && ids.Contains(eventId) && Text(roomId).Count == ids.Count,
        $"{eventId} is in the log of {roomId}",
        () => $"It {(RecordedIds(roomId).Contains(eventId) ? "is" : "isn't")} in the record, which has {RecordedIds(roomId).Count} lines; the text has {Text(roomId).Count}. ");

    /// <summary>Waits until something is so.</summary>
    /// <exception cref="TimeoutException">It isn't in time; the message has the service's output.</exception>
    public async Task WaitUntilAsync(Func<bool> isSo, string what, Func<string>? state = null)
    {
        for (var waited = Stopwatch.StartNew(); !isSo(); await Task.Delay(20, TestContext.Current.CancellationToken))
        {
            if (waited.Elapsed > Limit)
            {
                throw new TimeoutException($"Not so in time: {what}. {state?.Invoke()}What the service wrote:\n{string.Join('\n', Output)}");
            }
        }
    }

    /// <summary>The ids of all events that the homeserver shows of a room to a member.</summary>
    public static async Task<IReadOnlyList<string>> GetVisibleEventIdsAsync(SynapseUser member, string roomId)
    {
        var ids = new List<string>();
        for (var from = ""; ;)
        {
            var page = (await member.RequestAsync(HttpMethod.Get, $"/_matrix/client/v3/rooms/{Uri.EscapeDataString(roomId)}/messages?dir=b&limit=500{from}")).EnsureSuccess().Body;
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

    // What follows the last newline is still being written.
    private IEnumerable<string> LinesOf(string roomId, string extension) =>
        HasLog(roomId)
            ? Directory.GetFiles(Folder["logs", roomId], $"2*.{extension}").Order(StringComparer.Ordinal)
                .SelectMany(file => File.ReadAllText(file).Split('\n')[..^1])
            : [];

    [GeneratedRegex(@"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d\d:\d\d ")]
    private static partial Regex TimeOfLine();
}
