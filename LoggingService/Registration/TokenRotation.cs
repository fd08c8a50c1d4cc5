using System.Text;
using LoggingService.Files;
using YamlDotNet.RepresentationModel;

namespace LoggingService.Registration;

/// <summary>Replaces the tokens of a registration, and explains what to do with the homeserver's copy.</summary>
internal static class TokenRotation
{
    private const string Quote = "\"";
    private const string Copy = $"{RegistrationGenerator.HomeserverFolder}/logging.yaml";

    /// <summary>
    /// Keeps the previous tokens in the log directory, then replaces the file atomically. All else in it stays as it is, also its mode and
    /// its owner.
    /// </summary>
    /// <exception cref="ConfigurationException">The registration is not valid, or the tokens can't be replaced.</exception>
    public static void Run(string path, string logs)
    {
        var registration = RegistrationReader.Read(path);
        var text = Replace(path, YamlFile.ReadText(path), registration);
        var previous = new TokenPair(registration.AsToken, registration.HsToken);
        try
        {
            PreviousTokens.Add(logs, previous);
            try
            {
                Write(File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path, text);
            }
            catch
            {
                PreviousTokens.Remove(logs, [previous]);
                throw;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ConfigurationException($"{path}: the tokens can't be replaced: {e.Message} Run the command as root.");
        }
    }

    /// <summary>What the admin does with the new registration; the path is absolute.</summary>
    public static string NextSteps(string path) =>
        $"""
        Put new tokens into {path}. The previous ones work until the homeserver uses the new ones.

        1. Reload the service, or restart it:
             sudo systemctl reload logging-service
        2. Replace the homeserver's copy:
             sudo install -m 640 -g matrix-synapse {RegistrationGenerator.ForShell(path)} {Copy}
        3. Restart the homeserver:
             sudo systemctl restart matrix-synapse

        At its next request the service logs that the homeserver uses the new tokens.

        """;

    private static string Replace(string path, string text, AppServiceRegistration registration)
    {
        var (asToken, hsToken) = (RegistrationGenerator.NewToken(), RegistrationGenerator.NewToken());
        var document = YamlFile.Parse(path, text);
        (YamlNode Node, string Token)[] tokens =
            [(document.Find("as_token")!.Node, asToken), (document.Find("hs_token")!.Node, hsToken)];
        var replaced = tokens
            .OrderByDescending(item => item.Node.Start.Index)
            .Aggregate(text, (rest, item) =>
                $"{rest[..(int)item.Node.Start.Index]}{Quote}{item.Token}{Quote}{rest[(int)item.Node.End.Index..]}");
        return IsReplaced(path, replaced, registration, asToken, hsToken)
            ? replaced
            : throw new ConfigurationException($"{path}: write as_token and hs_token as texts in double quotes, each on a line of its own");
    }

    /// <summary>Whether the new text differs in the tokens only: YAML has anchors, tags and blocks of text.</summary>
    private static bool IsReplaced(string path, string text, AppServiceRegistration registration, string asToken, string hsToken)
    {
        try
        {
            var read = RegistrationReader.Read(YamlFile.Parse(path, text));
            return read.AsToken == asToken && read.HsToken == hsToken && !registration.FindChangedKeys(read).Any();
        }
        catch (ConfigurationException)
        {
            return false;
        }
    }

    private static void Write(string path, string text)
    {
        var mode = File.GetUnixFileMode(path);
        var owner = FileOwner.Of(path);
        AtomicFile.Replace(path, mode, file =>
        {
            owner?.ApplyTo(file.SafeFileHandle, path);

            // Whatever the umask.
            File.SetUnixFileMode(file.SafeFileHandle, mode);
            file.Write(Encoding.UTF8.GetBytes(text));
        });
    }
}
