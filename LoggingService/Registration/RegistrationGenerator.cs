using System.Security.Cryptography;
using System.Text;
using LoggingService.Files;

namespace LoggingService.Registration;

/// <summary>Creates a registration file for an admin who has none yet, and explains what to do with it.</summary>
internal static class RegistrationGenerator
{
    public const string DefaultUrl = "http://localhost:5000";

    private const string TokenCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    public const string HomeserverFolder = "/etc/matrix-synapse";

    /// <summary>Creates the file with new random tokens and mode 0600, atomically.</summary>
    /// <exception cref="FatalException">The file exists, or can't be created there; the folder must exist.</exception>
    /// <param name="url">Valid for <see cref="HttpUrl"/>, and escaped.</param>
    public static void Write(string path, string url = DefaultUrl)
    {
        try
        {
            AtomicFile.Create(path, OwnerOnly, file => file.Write(Encoding.UTF8.GetBytes(Yaml(url))));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            var message = $"{path}: the registration can't be created: {Reason(path, e)}";
            throw e is UnauthorizedAccessException or DirectoryNotFoundException || Path.Exists(path)
                ? new ConfigurationException(message)
                : new FatalException(message);
        }
    }

    /// <summary>What the admin does with a file that was just created; the path is absolute.</summary>
    public static string NextSteps(string path) =>
        $"""
        Created {path} with new tokens. The homeserver needs a copy:

        1. Install a copy that only the homeserver can read:
             sudo install -m 640 -g matrix-synapse {ForShell(path)} {HomeserverFolder}/logging.yaml
        2. Add the copy to {HomeserverFolder}/homeserver.yaml:
             app_service_config_files:
               - {HomeserverFolder}/logging.yaml
        3. Restart the homeserver:
             sudo systemctl restart matrix-synapse

        Then join #logged_test:your.server: the room is created, and its messages are logged.

        """;

    private static string Yaml(string url) =>
        $$"""
        # The registration of LoggingService. The service and the homeserver read the same text:
        # after a change, give the homeserver a new copy and restart both.

        # The name of the service, unique at the homeserver.
        id: "logging"
        # Where the homeserver reaches the service, which listens there.
        url: "{{url}}"
        # The secret that the service sends to the homeserver.
        as_token: "{{NewToken()}}"
        # The secret that the homeserver sends to the service.
        hs_token: "{{NewToken()}}"
        # The localpart of the service's own user, which creates the rooms: @logging:your.server
        sender_localpart: "logging"
        # The homeserver doesn't limit how fast the service creates rooms.
        rate_limited: false
        namespaces:
          users: []
          rooms: []
          # Rooms with such an alias are logged, and created when a user asks for one that doesn't exist.
          aliases:
            # false: other users may give their rooms such an alias.
            - exclusive: false
              regex: "#logged_.*"

        """;

    public static string NewToken() => RandomNumberGenerator.GetString(TokenCharacters, 64);

    private static string Reason(string path, Exception e) => e switch
    {
        DirectoryNotFoundException => "the folder doesn't exist",
        UnauthorizedAccessException => $"{CurrentUser.Name} has no write permission in the folder",
        _ when Path.Exists(path) => "the file exists already and was left unchanged",
        _ => e.Message,
    };

    public static string ForShell(string path)
    {
        var needsNoQuotes = path.All(c => char.IsAsciiLetterOrDigit(c) || "/._-+:@%,".Contains(c));
        return needsNoQuotes ? path : $"'{path.Replace("'", "'\\''")}'";
    }
}
