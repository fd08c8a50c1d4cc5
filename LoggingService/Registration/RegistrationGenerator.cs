using System.Security.Cryptography;
using System.Text;
using LoggingService.Options;

namespace LoggingService.Registration;

/// <summary>Makes a registration file for an admin who has none yet, and tells what to do with it.</summary>
internal static class RegistrationGenerator
{
    private const string TokenCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const string HomeserversFolder = "/etc/matrix-synapse";

    /// <summary>
    /// Makes the file, with new random tokens and mode 0600. It appears whole or not at all, and is never readable by
    /// others, not for a moment. What is already there stays.
    /// </summary>
    /// <param name="path">Where; the folder must be there.</param>
    /// <exception cref="ConfigurationException">There is a file already, or it can't be made there.</exception>
    public static void Write(string path)
    {
        var unfinished = $"{path}.{RandomNumberGenerator.GetHexString(8, lowercase: true)}.new";
        try
        {
            // The mode is given when the file is made: one that is narrowed later has been open to others before.
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows())
            {
                options.UnixCreateMode = OwnerOnly;
            }

            using (var file = new FileStream(unfinished, options))
            {
                file.Write(Encoding.UTF8.GetBytes(Text()));
            }

            File.Move(unfinished, path, overwrite: false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            if (File.Exists(unfinished))
            {
                File.Delete(unfinished);
            }

            throw new ConfigurationException($"{path}: the registration can't be made here: {Reason(path, e)}".ReplaceLineEndings(" "));
        }
    }

    /// <summary>What to do with a file that was just made: a few lines for the admin.</summary>
    /// <param name="path">The file's absolute path.</param>
    public static string NextSteps(string path) =>
        $"""
        Made {path}, with new tokens. Now the homeserver needs it too:

        1. Give it a copy that it, and nobody else, can read:
             sudo install -m 640 -g matrix-synapse {ForShell(path)} {HomeserversFolder}/logging.yaml
        2. Name the copy in {HomeserversFolder}/homeserver.yaml:
             app_service_config_files:
               - {HomeserversFolder}/logging.yaml
        3. Restart it:
             sudo systemctl restart matrix-synapse

        Then join #logged_test:your.server: the room is made, and what is said there is logged.

        """;

    private static string Text() =>
        $$"""
        # How a Matrix homeserver and LoggingService know each other. Both read the same text:
        # when you change something here, give the homeserver its new copy and restart both.

        # The service's name; no other service of the homeserver may have it.
        id: "logging"
        # Where the homeserver reaches the service, which listens there.
        url: "http://localhost:5000"
        # The secret that the service sends to the homeserver.
        as_token: "{{NewToken()}}"
        # The secret that the homeserver sends to the service.
        hs_token: "{{NewToken()}}"
        # The name of the service's own user, who makes the rooms: @logging:your.server
        sender_localpart: "logging"
        # The homeserver doesn't slow the service down.
        rate_limited: false
        namespaces:
          users: []
          rooms: []
          # Rooms with such an alias are logged, and made when somebody asks for one that isn't there.
          aliases:
            # exclusive: false lets others give such an alias to their rooms.
            - exclusive: false
              regex: "#logged_.*"

        """;

    private static string NewToken() => RandomNumberGenerator.GetString(TokenCharacters, 64);

    private static string Reason(string path, Exception e) => e switch
    {
        DirectoryNotFoundException => "there is no such folder",
        UnauthorizedAccessException => $"{Environment.UserName} may not write into the folder",
        _ when Path.Exists(path) => "there is one already, which stays as it is",
        _ => e.Message,
    };

    private static string ForShell(string path) =>
        path.All(c => char.IsAsciiLetterOrDigit(c) || "/._-+:@%,".Contains(c)) ? path : $"'{path.Replace("'", "'\\''")}'";
}
