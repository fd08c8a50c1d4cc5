using LoggingService.Configuration;

namespace LoggingService.Rooms;

/// <summary>
/// Whether the homeserver and the service know each other: does it answer, has it loaded our registration, does it reach
/// us. A ping that works also makes a homeserver send at once what waited for us.
/// </summary>
public sealed class HomeserverCheck(Homeserver homeserver, OwnUser user, Registration registration, LoggingServiceOptions options)
{
    /// <summary>Asks the homeserver. The things are always the same three, in their order; after one that isn't well the others can't be known.</summary>
    /// <param name="cancellation">Ends it.</param>
    public async Task<IReadOnlyList<HomeserverFinding>> RunAsync(CancellationToken cancellation)
    {
        (string Unknown, Func<CancellationToken, Task<HomeserverFinding>> Find)[] things =
        [
            ("whether the homeserver answers.", AnswersAsync),
            ("whether it has loaded the registration.", KnowsUsAsync),
            ($"whether it reaches this service at {registration.UrlText}.", ReachesUsAsync),
        ];
        var findings = new List<HomeserverFinding>();
        foreach (var (unknown, find) in things)
        {
            findings.Add(findings.TrueForAll(finding => finding.State == FindingState.Well) ? await find(cancellation) : new(FindingState.Unknown, unknown));
        }

        return findings;
    }

    private async Task<HomeserverFinding> AnswersAsync(CancellationToken cancellation)
    {
        try
        {
            await homeserver.VersionsAsync(cancellation);
        }
        catch (HomeserverException e) when (e.Errcode == "M_UNKNOWN_TOKEN")
        {
            // A homeserver all right, and one that minds the token even here: what follows will tell.
        }
        catch (HomeserverException e)
        {
            return Trouble(e.Status is null
                ? $"The homeserver can't be reached at {options.HomeserverText} ({e.Reason}). Is it running? If it listens elsewhere, say where: --homeserver URL"
                : $"What answers at {options.HomeserverText} is no Matrix homeserver ({e.Status} {e.Errcode} {e.Reason}). Say where its client API is: --homeserver URL");
        }

        return Well($"The homeserver answers at {options.HomeserverText}.");
    }

    private async Task<HomeserverFinding> KnowsUsAsync(CancellationToken cancellation)
    {
        try
        {
            await homeserver.EnsureRegisteredAsync(cancellation);
            await user.AskAsync(cancellation);
            return Well($"It has loaded the registration and knows this service, as {user.Id}.");
        }
        catch (HomeserverException e) when (e.Status is 401 or 403)
        {
            return Trouble($"The homeserver doesn't know the as_token of {options.Registration} ({e.Errcode}): it has not loaded the file, or an older copy. Give it the file, name its copy in homeserver.yaml under app_service_config_files, and restart it.");
        }
        catch (HomeserverException e)
        {
            return Trouble($"The homeserver didn't let this service's own user {registration.SenderLocalpart} in: {e.Message}");
        }
    }

    private async Task<HomeserverFinding> ReachesUsAsync(CancellationToken cancellation)
    {
        try
        {
            await homeserver.PingAsync(cancellation);
            return Well($"It reaches this service at {registration.UrlText}.");
        }
        catch (HomeserverException e)
        {
            return e switch
            {
                // An older homeserver, which has no such call.
                { Status: 404 or 405 } or { Errcode: "M_UNRECOGNIZED" } => Well("Whether it reaches this service, this homeserver can't be asked: it is too old."),
                { Errcode: "M_BAD_STATUS" } => Trouble($"The homeserver reaches this service with another hs_token than that of {options.Registration}: give it this file anew and restart it. ({e.Reason})"),
                { Errcode: "M_CONNECTION_FAILED" or "M_CONNECTION_TIMEOUT" } => Trouble($"The homeserver can't reach this service at {registration.UrlText}, the url of the registration ({e.Reason}). The service must be running, and the url be one at which the homeserver finds this machine."),
                { Status: 403 } => Trouble($"The homeserver knows the as_token by another id than {registration.Id}: give it {options.Registration} anew and restart it. ({e.Reason})"),
                _ => Trouble($"The homeserver could not be asked to call this service: {e.Message}"),
            };
        }
    }

    private static HomeserverFinding Well(string text) => new(FindingState.Well, text);

    private static HomeserverFinding Trouble(string text) => new(FindingState.Trouble, text);
}
