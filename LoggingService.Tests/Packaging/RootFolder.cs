using System.Text.RegularExpressions;
using LoggingService.Tests.Support;

namespace LoggingService.Tests.Packaging;

/// <summary>A folder that is the root of processes: a Debian, or an unpacked image. Its mounts end with the process.</summary>
internal sealed class RootFolder(string path)
{
    // Becomes the program, so that signals reach it.
    private const string Enter = """
        set -e
        root=$1 user=$2 options=$3 binds=$4
        shift 4
        mount --bind "$root" "$root"
        for bind in $binds; do mount --bind "${bind%%:*}" "$root${bind#*:}"; done
        mount -t proc proc "$root/proc"
        mount --rbind /dev "$root/dev"
        mount -o "remount,bind,$options" "$root"
        exec chroot --userspec="$user" "$root" "$@"
        """;

    /// <summary>Mounted into it: <c>/folder/outside:/folder/inside</c>, without spaces.</summary>
    public IReadOnlyList<string> Binds { get; init; } = [];

    public bool IsReadOnly { get; init; }

    /// <summary>More variables of its processes: <c>NAME=value</c>.</summary>
    public IReadOnlyList<string> Variables { get; init; } = [];

    /// <summary>A path outside of a file inside.</summary>
    public string this[string absolute] => path + absolute;

    /// <summary>Runs a command as root, which must succeed, and returns its output.</summary>
    public async Task<string> RunAsync(params IEnumerable<string> command)
    {
        var enter = Command("root:root", command);
        return await ProcessOutput.GetAsync(enter[0], enter[1..]);
    }

    public ServiceProcess Start(string user, params IEnumerable<string> command) =>
        ServiceProcess.StartInstalled(Command(user, command), "/");

    /// <summary>Starts the service, on a port of its own, and waits until it responds.</summary>
    /// <param name="registration">Its registration, the path inside.</param>
    /// <param name="logs">The logs, the path outside.</param>
    public Task<RunningService> StartServiceAsync(
        string user, FakeHomeserver homeserver, string registration, string logs, params IEnumerable<string> command)
    {
        var url = $"http://127.0.0.1:{FreePort.Next()}";
        homeserver.Service = url;
        var service = Start(user, [.. command, "--homeserver", homeserver.Address, "--urls", url]);
        return RunningService.ConnectAsync(service, url, logs, () => TokenOf(registration));
    }

    /// <summary>The hs_token of a registration, the path inside; <c>null</c> if there is none.</summary>
    public string? TokenOf(string registration)
    {
        var file = OutsideOf(registration);
        return File.Exists(file) ? Regex.Match(File.ReadAllText(file), "hs_token: \"(.+)\"").Groups[1].Value : null;
    }

    private string OutsideOf(string inside) =>
        Binds.Select(bind => bind.Split(':')).FirstOrDefault(bind => inside.StartsWith($"{bind[1]}/", StringComparison.Ordinal)) is { } bind
            ? bind[0] + inside[bind[1].Length..]
            : this[inside];

    private List<string> Command(string user, IEnumerable<string> command) =>
    [
        "env", .. Variables, "unshare", "--mount", "sh", "-c", Enter, "sh", path, user, IsReadOnly ? "ro" : "rw", string.Join(' ', Binds),
        .. command,
    ];
}
