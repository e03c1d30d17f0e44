"""``aams validate``: how well photographs come back through the attention autoencoder."""
import pathlib

from .logs import import_tensorflow_quietly, show_progress_messages


def add_parser(subparsers):
    parser = subparsers.add_parser(
        'validate', help='reconstruct photographs and measure the PSNR',
        description='Reconstructs the central 256x256 of each photograph (short side scaled '
                    'to 256) through the attention autoencoder. The last line printed is the '
                    'mean PSNR: psnr_db: N')
    parser.add_argument('--dataset', required=True, metavar='DIR', type=pathlib.Path,
                        help='folder of photographs, searched to any depth')
    parser.add_argument('--model', metavar='DIR|FILE', type=pathlib.Path,
                        help='model directory or weights file (default: the bundled weights)')
    parser.set_defaults(run=run)


def run(arguments):
    show_progress_messages()
    import_tensorflow_quietly()
    from modelscope_aams.training.pictures import scan_folder
    from modelscope_aams.training.validation import mean_psnr
    from modelscope_aams.training.weights import load_network

    folder = scan_folder(arguments.dataset)
    score = mean_psnr(load_network(arguments.model), folder.paths)
    print(f'psnr_db: {score:.3f}')
